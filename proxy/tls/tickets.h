#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>

#include "parsers/secret.h"
#include "proxy/tls/clock.h"

namespace postern::tls {

// Seals session tickets (RFC 5077, RFC 8446 §4.6.1) with a key of the hour, which HKDF derives from a seed
// and the time: servers with the same seed open each other's tickets, and nothing else is shared between
// them. A ticket opens during kOpenable epochs after its own and, for servers whose clock is behind, one
// before. Keys are derived for each use (about a microsecond) and wiped, so that none but the root is at
// rest. May be used from several threads.
class TicketKeys {
 public:
  static constexpr std::chrono::hours kEpoch{1};
  static constexpr std::chrono::hours kLifetime{12};                 // of a session
  static constexpr std::int64_t kOpenable = kLifetime / kEpoch + 1;  // the lifetime, and clocks that differ
  static constexpr std::size_t kOverhead = 4 + 12 + 16;              // epoch, nonce, tag

  // From the seed in a file: at least 32 bytes, without the line ends behind them. The error names the file.
  static std::expected<TicketKeys, std::string> from_file(const std::string& path, Clock clock);
  // From a seed that this process drew: contexts of one process agree.
  static TicketKeys of_process(Clock clock);

  // Writes the ticket to `out`, of at least the size of `session` plus kOverhead; the two may begin at the
  // same place. The ticket's size, or none when the library fails.
  std::optional<std::size_t> seal(std::span<const std::uint8_t> session, std::span<std::uint8_t> out) const;

  // The session's size in `out`, which has the ticket's size; none when the ticket is not ours or too old.
  std::optional<std::size_t> open(std::span<const std::uint8_t> ticket, std::span<std::uint8_t> out) const;

 private:
  TicketKeys(std::string_view seed, Clock clock);

  Secret root_;
  Clock clock_;
};

}  // namespace postern::tls
