#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

// An IP address without a port. An IPv4-mapped IPv6 address (::ffff:a.b.c.d) is always held as IPv4, so that
// two spellings of one peer compare equal.
struct Address {
  enum class Family : std::uint8_t { None, V4, V6 };

  Family family = Family::None;
  std::array<std::uint8_t, 16> bytes{};  // network order; IPv4 uses the first four

  static Address v4(const std::uint8_t (&octets)[4]);
  static Address v6(const std::uint8_t (&octets)[16]);  // maps ::ffff:0:0/96 to IPv4
  // A literal without brackets, port or zone; nullopt for anything else, host names included.
  static std::optional<Address> parse(std::string_view text);

  bool is_loopback() const;
  std::string to_string() const;  // "192.0.2.1", "2001:db8::1"; "" for None

  auto operator<=>(const Address&) const = default;
};

struct Endpoint {
  Address address;
  std::uint16_t port = 0;

  // "192.0.2.1:993" or "[2001:db8::1]:993"; the port is 0 to 65535 without leading zeros.
  static std::optional<Endpoint> parse(std::string_view text);
  std::string to_string() const;

  auto operator<=>(const Endpoint&) const = default;
};

// A network in CIDR form: "10.0.0.0/8", "2001:db8::/32"; a lone address is a network of one. Bits behind the
// prefix must be zero: "10.0.0.1/8" is an error, since nobody can tell which half was meant. A network holds
// addresses of its own family alone; one inside ::ffff:0:0/96 is held as IPv4.
struct Network {
  Address base;
  std::uint8_t prefix = 0;

  static std::optional<Network> parse(std::string_view text);
  bool contains(const Address& address) const;

  auto operator<=>(const Network&) const = default;
};

// The unit that limits per address count: an IPv4 address itself, the /64 of an IPv6 address.
Address limit_key(const Address& address);

}  // namespace postern
