#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "parsers/address.h"

// PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt).

namespace postern {

struct ProxyHeader {
  // LOCAL (v2) and UNKNOWN (v1) carry no addresses: the connection's own count.
  bool has_addresses = false;
  Endpoint source;
  Endpoint destination;
  std::string authority;    // PP2_TYPE_AUTHORITY: the server name of the client's TLS; empty: not there
  bool secure = false;      // PP2_TYPE_SSL with PP2_CLIENT_SSL
  std::string tls_version;  // PP2_SUBTYPE_SSL_VERSION, as it stands there
  std::string tls_cipher;   // PP2_SUBTYPE_SSL_CIPHER
  bool operator==(const ProxyHeader&) const = default;
};

struct ProxyHeaderIncomplete {};
struct ProxyHeaderInvalid {
  std::string_view reason;  // a constant, for the log
};
struct ProxyHeaderComplete {
  ProxyHeader header;
  std::size_t size;  // bytes it took; what is behind belongs to the session
};

// Reads a header from the start of `bytes`, which is all that arrived so far. A prefix of a valid header is
// Incomplete; the longest header accepted is kProxyHeaderMax. A CRC32C in v2 is checked when present.
std::variant<ProxyHeaderIncomplete, ProxyHeaderInvalid, ProxyHeaderComplete> parse_proxy_header(
    std::string_view bytes);
inline constexpr std::size_t kProxyHeaderMax = 16 + 1500;

// The header to send. v1 leaves out what it has no place for; different families of source and destination
// give UNKNOWN (v1) and LOCAL (v2).
std::string write_proxy_v1(const ProxyHeader& header);
std::string write_proxy_v2(const ProxyHeader& header);

}  // namespace postern
