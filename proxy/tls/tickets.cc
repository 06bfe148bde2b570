#include "proxy/tls/tickets.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <openssl/aead.h>
#include <openssl/digest.h>
#include <openssl/err.h>
#include <openssl/hkdf.h>
#include <openssl/rand.h>
#include <utility>

#include "proxy/tls/file.h"

namespace postern::tls {
namespace {

constexpr std::string_view kSalt = "postern session tickets 1";
constexpr std::size_t kSeed = 32;
constexpr std::size_t kEpochSize = 4;
constexpr std::size_t kNonceSize = 12;

using EpochBytes = std::array<std::uint8_t, kEpochSize>;

EpochBytes bytes_of(std::uint32_t epoch) {
  return {static_cast<std::uint8_t>(epoch >> 24), static_cast<std::uint8_t>(epoch >> 16),
          static_cast<std::uint8_t>(epoch >> 8), static_cast<std::uint8_t>(epoch)};
}

const std::uint8_t* octets(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

std::uint32_t epoch_at(const Clock& clock) {
  const auto now = clock ? clock() : std::chrono::system_clock::now();
  return static_cast<std::uint32_t>(now.time_since_epoch() / TicketKeys::kEpoch);
}

// The AEAD of one epoch. GCM-SIV: a nonce that two servers happen to draw in one hour gives nothing away.
class EpochCipher {
 public:
  EpochCipher(const Secret& root, const EpochBytes& epoch) {
    std::array<std::uint8_t, 32> key;
    const bool made = HKDF_expand(key.data(), key.size(), EVP_sha256(), octets(root.reveal()), root.size(),
                                  epoch.data(), epoch.size()) == 1 &&
                      EVP_AEAD_CTX_init(context_.get(), EVP_aead_aes_256_gcm_siv(), key.data(), key.size(),
                                        EVP_AEAD_DEFAULT_TAG_LENGTH, nullptr) == 1;
    wipe(key.data(), key.size());
    if (!made) std::abort();
  }
  const EVP_AEAD_CTX* get() const { return context_.get(); }

 private:
  bssl::ScopedEVP_AEAD_CTX context_;
};

}  // namespace

std::expected<TicketKeys, std::string> TicketKeys::from_file(const std::string& path, Clock clock) {
  auto content = read_file(path);
  if (!content) return std::unexpected(std::move(content).error());
  std::string_view seed = content->reveal();
  while (seed.ends_with('\n') || seed.ends_with('\r')) seed.remove_suffix(1);
  if (seed.size() < kSeed) {
    return std::unexpected(path + ": a ticket seed has at least 32 bytes, and this one has " +
                           std::to_string(seed.size()));
  }
  return TicketKeys(seed, std::move(clock));
}

TicketKeys TicketKeys::of_process(Clock clock) {
  static const Secret kProcessSeed = [] {
    std::array<char, kSeed> seed;
    RAND_bytes(reinterpret_cast<std::uint8_t*>(seed.data()), seed.size());
    Secret secret(std::string_view(seed.data(), seed.size()));
    wipe(seed.data(), seed.size());
    return secret;
  }();
  return TicketKeys(kProcessSeed.reveal(), std::move(clock));
}

TicketKeys::TicketKeys(std::string_view seed, Clock clock) : clock_(std::move(clock)) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> root;
  std::size_t size = 0;
  if (HKDF_extract(root.data(), &size, EVP_sha256(), octets(seed), seed.size(), octets(kSalt),
                   kSalt.size()) != 1) {
    std::abort();
  }
  root_ = Secret(std::string_view(reinterpret_cast<const char*>(root.data()), size));
  wipe(root.data(), root.size());
}

std::optional<std::size_t> TicketKeys::seal(std::span<const std::uint8_t> session,
                                            std::span<std::uint8_t> out) const {
  constexpr std::size_t kHeader = kEpochSize + kNonceSize;
  if (out.size() < session.size() + kOverhead) return std::nullopt;
  const EpochBytes epoch = bytes_of(epoch_at(clock_));
  std::array<std::uint8_t, kNonceSize> nonce;
  RAND_bytes(nonce.data(), nonce.size());

  // First to its place behind the header: the cipher works in place or not at all.
  std::memmove(out.data() + kHeader, session.data(), session.size());
  std::ranges::copy(epoch, out.begin());
  std::ranges::copy(nonce, out.begin() + kEpochSize);
  const EpochCipher cipher(root_, epoch);
  std::size_t sealed = 0;
  if (EVP_AEAD_CTX_seal(cipher.get(), out.data() + kHeader, &sealed, out.size() - kHeader, nonce.data(),
                        nonce.size(), out.data() + kHeader, session.size(), epoch.data(),
                        epoch.size()) != 1) {
    return std::nullopt;
  }
  return kHeader + sealed;
}

std::optional<std::size_t> TicketKeys::open(std::span<const std::uint8_t> ticket,
                                            std::span<std::uint8_t> out) const {
  if (ticket.size() < kOverhead) return std::nullopt;
  EpochBytes epoch;
  std::ranges::copy(ticket.first(kEpochSize), epoch.begin());
  const std::uint32_t number = static_cast<std::uint32_t>(epoch[0]) << 24 |
                               static_cast<std::uint32_t>(epoch[1]) << 16 |
                               static_cast<std::uint32_t>(epoch[2]) << 8 | epoch[3];
  const std::int64_t age = std::int64_t{epoch_at(clock_)} - std::int64_t{number};
  if (age < -1 || age > kOpenable) return std::nullopt;

  const auto sealed = ticket.subspan(kEpochSize + kNonceSize);
  if (out.size() < sealed.size()) return std::nullopt;
  std::array<std::uint8_t, kNonceSize> nonce;
  std::ranges::copy(ticket.subspan(kEpochSize, kNonceSize), nonce.begin());
  std::memmove(out.data(), sealed.data(), sealed.size());
  const EpochCipher cipher(root_, epoch);
  std::size_t size = 0;
  if (EVP_AEAD_CTX_open(cipher.get(), out.data(), &size, out.size(), nonce.data(), nonce.size(), out.data(),
                        sealed.size(), epoch.data(), epoch.size()) != 1) {
    ERR_clear_error();  // a ticket that is not ours is no error of the handshake around it
    return std::nullopt;
  }
  return size;
}

}  // namespace postern::tls
