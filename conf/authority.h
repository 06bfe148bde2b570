#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace postern::conf {

// Where a service listens, as in a URL (RFC 3986 §3.2): "host", "host:port", "[2001:db8::1]:port".
struct Authority {
  std::string host;  // an address or a host name, without brackets
  std::optional<std::uint16_t> port;
};

// The error says what is wrong with it.
std::expected<Authority, std::string> parse_authority(std::string_view text);

}  // namespace postern::conf
