#include "parsers/address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace postern {

namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

unsigned bits_of(Address::Family family) {
  switch (family) {
    case Address::Family::None:
      return 0;
    case Address::Family::V4:
      return 32;
    case Address::Family::V6:
      return 128;
  }
  return 0;
}

// Decimal digits alone, no sign, no leading zeros.
std::optional<unsigned> parse_number(std::string_view text, unsigned most) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

Address masked(Address address, unsigned prefix) {
  for (unsigned bit = 0; bit < 128; bit += 8) {
    std::uint8_t& octet = address.bytes[bit / 8];
    if (prefix <= bit) {
      octet = 0;
    } else if (prefix < bit + 8) {
      octet = static_cast<std::uint8_t>(octet & 0xff << (bit + 8 - prefix));
    }
  }
  return address;
}

}  // namespace

Address Address::v4(const std::uint8_t (&octets)[4]) {
  Address address{.family = Family::V4};
  std::ranges::copy(octets, address.bytes.begin());
  return address;
}

Address Address::v6(const std::uint8_t (&octets)[16]) {
  Address address;
  if (std::equal(kMapped.begin(), kMapped.end(), octets)) {
    address.family = Family::V4;
    std::copy(octets + 12, octets + 16, address.bytes.begin());
  } else {
    address.family = Family::V6;
    std::ranges::copy(octets, address.bytes.begin());
  }
  return address;
}

std::optional<Address> Address::parse(std::string_view text) {
  if (text.empty() || text.size() >= INET6_ADDRSTRLEN || text.contains('\0')) return std::nullopt;
  const std::string terminated(text);
  std::uint8_t octets4[4];
  if (inet_pton(AF_INET, terminated.c_str(), octets4) == 1) return v4(octets4);
  std::uint8_t octets6[16];
  if (inet_pton(AF_INET6, terminated.c_str(), octets6) == 1) return v6(octets6);
  return std::nullopt;
}

bool Address::is_loopback() const {
  switch (family) {
    case Family::None:
      return false;
    case Family::V4:
      return bytes[0] == 127;
    case Family::V6:
      return bytes[15] == 1 &&
             std::all_of(bytes.begin(), bytes.end() - 1, [](auto octet) { return octet == 0; });
  }
  return false;
}

std::string Address::to_string() const {
  if (family == Family::None) return "";
  char text[INET6_ADDRSTRLEN];
  inet_ntop(family == Family::V4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof text);
  return text;
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (bracketed != host.contains(':')) return std::nullopt;

  const auto address = Address::parse(host);
  const auto port = parse_number(text.substr(colon + 1), 65535);
  if (!address || !port) return std::nullopt;
  return Endpoint{.address = *address, .port = static_cast<std::uint16_t>(*port)};
}

std::string Endpoint::to_string() const {
  const std::string host = address.to_string();
  const std::string number = std::to_string(port);
  return address.family == Address::Family::V6 ? "[" + host + "]:" + number : host + ":" + number;
}

std::optional<Network> Network::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view host = text.substr(0, slash);
  const auto base = Address::parse(host);
  if (!base) return std::nullopt;
  const unsigned bits = bits_of(base->family);
  if (slash == std::string_view::npos)
    return Network{.base = *base, .prefix = static_cast<std::uint8_t>(bits)};

  const unsigned mapped = base->family == Address::Family::V4 && host.contains(':') ? 96 : 0;
  const auto prefix = parse_number(text.substr(slash + 1), bits + mapped);
  if (!prefix || *prefix < mapped) return std::nullopt;
  const Network network{.base = *base, .prefix = static_cast<std::uint8_t>(*prefix - mapped)};
  if (masked(*base, network.prefix) != *base) return std::nullopt;
  return network;
}

bool Network::contains(const Address& address) const {
  return address.family == base.family && address.family != Address::Family::None &&
         masked(address, prefix) == base;
}

Address limit_key(const Address& address) {
  return address.family == Address::Family::V6 ? masked(address, 64) : address;
}

}  // namespace postern
