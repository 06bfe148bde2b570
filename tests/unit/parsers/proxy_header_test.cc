#include "parsers/proxy_header.h"

#include <doctest/doctest.h>
#include <string>
#include <vector>

#include "tests/unit/parsers/addressed.h"

using namespace postern;

namespace {

// Bytes given as octets; the header's tests are about these.
std::string octets(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes += static_cast<char>(value);
  return bytes;
}

const std::string signature =
    octets({0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a});

std::string v2(int command, int family, const std::string& block) {
  return signature +
         octets(
             {command, family, static_cast<int>(block.size() >> 8), static_cast<int>(block.size() & 0xff)}) +
         block;
}

std::string tlv(int type, const std::string& value) {
  return octets({type, static_cast<int>(value.size() >> 8), static_cast<int>(value.size() & 0xff)}) + value;
}

const std::string v4_addresses = octets({192, 0, 2, 1, 198, 51, 100, 7, 0x30, 0x39, 0x03, 0xe1});
const std::string v6_addresses = octets({0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,  //
                                         0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,  //
                                         0x30, 0x39, 0x03, 0xe1});
const std::string mapped_addresses =
    octets({0,    0,    0,    0,   0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0,  2,   1,  //
            0,    0,    0,    0,   0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 7,  //
            0x30, 0x39, 0x03, 0xe1});

const ProxyHeader v4 = addressed("192.0.2.1:12345", "198.51.100.7:993");
const ProxyHeader v6 = addressed("[2001:db8::1]:12345", "[2001:db8::2]:993");

template <class Change>
ProxyHeader changed(ProxyHeader header, Change change) {
  change(header);
  return header;
}

struct Good {
  const char* name;
  std::string bytes;
  ProxyHeader header;
};

const std::vector<Good>& good() {
  static const std::vector<Good> rows{
      {"v1 TCP4", "PROXY TCP4 192.0.2.1 198.51.100.7 12345 993\r\n", v4},
      {"v1 TCP6", "PROXY TCP6 2001:db8::1 2001:db8::2 12345 993\r\n", v6},
      {"v1 TCP6 of IPv4", "PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.7 12345 993\r\n", v4},
      {"v1 UNKNOWN", "PROXY UNKNOWN\r\n", {}},
      {"v1 UNKNOWN with anything behind", "PROXY UNKNOWN ffff::1 x y \x01\xff 99999\r\n", {}},
      {"v1 UNKNOWN of 107 bytes", "PROXY UNKNOWN " + std::string(91, 'x') + "\r\n", {}},
      {"v1 with the lowest and highest port", "PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n",
       addressed("0.0.0.0:0", "255.255.255.255:65535")},
      {"v2 TCP over IPv4", v2(0x21, 0x11, v4_addresses), v4},
      {"v2 TCP over IPv6", v2(0x21, 0x21, v6_addresses), v6},
      {"v2 TCP over IPv6 of IPv4", v2(0x21, 0x21, mapped_addresses), v4},
      {"v2 LOCAL", v2(0x20, 0x00, ""), {}},
      {"v2 LOCAL with a block that means nothing", v2(0x20, 0x11, "garbage"), {}},
      {"v2 LOCAL with addresses", v2(0x20, 0x11, v4_addresses), {}},
      {"v2 unspecified family", v2(0x21, 0x00, "garbage"), {}},
      {"v2 unspecified transport", v2(0x21, 0x10, v4_addresses), {}},
      {"v2 datagrams", v2(0x21, 0x12, v4_addresses), {}},
      {"v2 UNIX", v2(0x21, 0x31, std::string(216, '/')), {}},
      {"v2 with unknown fields", v2(0x21, 0x11, v4_addresses + tlv(0x04, "pad") + tlv(0xee, "")), v4},
      {"v2 with an authority", v2(0x21, 0x11, v4_addresses + tlv(0x02, "mail.example")),
       changed(v4, [](ProxyHeader& header) { header.authority = "mail.example"; })},
      {"v2 with TLS",
       v2(0x21, 0x21,
          v6_addresses + tlv(0x20, octets({1, 0, 0, 0, 1}) + tlv(0x21, "TLSv1.3") + tlv(0x23, "AES128-GCM") +
                                       tlv(0x22, "cn"))),
       changed(v6,
               [](ProxyHeader& header) {
                 header.secure = true;
                 header.tls_version = "TLSv1.3";
                 header.tls_cipher = "AES128-GCM";
               })},
      {"v2 where the client had no TLS", v2(0x21, 0x11, v4_addresses + tlv(0x20, octets({0, 0, 0, 0, 1}))),
       v4},
      {"v2 with its checksum", v2(0x21, 0x11, v4_addresses + tlv(0x03, octets({0x9f, 0xde, 0xb6, 0x34}))),
       v4},
      {"v2 of the greatest size", v2(0x21, 0x11, v4_addresses + tlv(0x04, std::string(1500 - 12 - 3, 'x'))),
       v4},
  };
  return rows;
}

const std::vector<std::pair<const char*, std::string>>& invalid() {
  static const std::vector<std::pair<const char*, std::string>> rows{
      {"a TLS ClientHello", octets({0x16, 0x03, 0x01, 0x02, 0x00})},
      {"an IMAP command", "a NOOP\r\n"},
      {"lower case", "proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n"},
      {"a space before", " PROXY UNKNOWN\r\n"},
      {"LF alone", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n"},
      {"a CR alone", "PROXY TCP4 1.2.3.4\r5.6.7.8 1 2\r\n"},
      {"UDP", "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n"},
      {"a family in lower case", "PROXY tcp4 1.2.3.4 5.6.7.8 1 2\r\n"},
      {"UNKNOWN with more letters", "PROXY UNKNOWNS\r\n"},
      {"no family", "PROXY \r\n"},
      {"an IPv6 address as TCP4", "PROXY TCP4 ::1 ::2 1 2\r\n"},
      {"an IPv4 address as TCP6", "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n"},
      {"a host name", "PROXY TCP4 localhost 5.6.7.8 1 2\r\n"},
      {"brackets as TCP4", "PROXY TCP4 [::1] [::2] 1 2\r\n"},
      {"brackets", "PROXY TCP6 [::1] [::2] 1 2\r\n"},
      {"a zone", "PROXY TCP6 fe80::1%1 ::2 1 2\r\n"},
      {"two spaces", "PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n"},
      {"a tab", "PROXY TCP4\t1.2.3.4 5.6.7.8 1 2\r\n"},
      {"a field too few", "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n"},
      {"a field too many", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n"},
      {"a space at the end", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n"},
      {"a leading zero in a port", "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n"},
      {"a leading zero in an octet", "PROXY TCP4 01.2.3.4 5.6.7.8 1 2\r\n"},
      {"a port of 65536", "PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n"},
      {"a negative port", "PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n"},
      {"an empty port", "PROXY TCP4 1.2.3.4 5.6.7.8  2\r\n"},
      {"a NUL", std::string("PROXY TCP4 1.2.3.4\0 5.6.7.8 1 2\r\n", 33)},
      {"108 bytes with the end", "PROXY UNKNOWN " + std::string(92, 'x') + "\r\n"},
      {"107 bytes without an end", "PROXY UNKNOWN " + std::string(93, 'x')},
      {"a broken signature", std::string("\r\n\r\n\0\r\nQUIX", 11)},
      {"version 1 in binary", signature + octets({0x11, 0x11, 0, 12}) + v4_addresses},
      {"version 3", signature + octets({0x31, 0x11, 0, 12}) + v4_addresses},
      {"an unknown command", signature + octets({0x22, 0x11, 0, 12}) + v4_addresses},
      {"an unknown family", signature + octets({0x21, 0x41, 0, 12}) + v4_addresses},
      {"an unknown transport", signature + octets({0x21, 0x13, 0, 12}) + v4_addresses},
      {"an unknown family in LOCAL", signature + octets({0x20, 0x41, 0, 0})},
      {"a block of 1501 bytes", signature + octets({0x21, 0x11, 0x05, 0xdd})},
      {"a block of 65535 bytes in LOCAL", signature + octets({0x20, 0x00, 0xff, 0xff})},
      {"a block too short for IPv4", v2(0x21, 0x11, v4_addresses.substr(1))},
      {"a block too short for IPv6", v2(0x21, 0x21, v6_addresses.substr(1))},
      {"a block too short for UNIX", v2(0x21, 0x31, std::string(215, '/'))},
      {"no block", v2(0x21, 0x11, "")},
      {"a field of one byte", v2(0x21, 0x11, v4_addresses + "x")},
      {"a field of two bytes", v2(0x21, 0x11, v4_addresses + octets({4, 0}))},
      {"a field that runs over the end", v2(0x21, 0x11, v4_addresses + octets({4, 0, 2, 'x'}))},
      {"a wrong checksum", v2(0x21, 0x11, v4_addresses + tlv(0x03, octets({0x9f, 0xde, 0xb6, 0x35})))},
      {"a checksum of three bytes", v2(0x21, 0x11, v4_addresses + tlv(0x03, "abc"))},
      {"an SSL field of four bytes", v2(0x21, 0x11, v4_addresses + tlv(0x20, octets({1, 0, 0, 0})))},
      {"a field inside SSL that runs over",
       v2(0x21, 0x11, v4_addresses + tlv(0x20, octets({1, 0, 0, 0, 1, 0x21, 0, 9, 'x'})))},
      {"two authorities", v2(0x21, 0x11, v4_addresses + tlv(0x02, "a") + tlv(0x02, "b"))},
      {"two SSL fields",
       v2(0x21, 0x11,
          v4_addresses + tlv(0x20, octets({0, 0, 0, 0, 1})) + tlv(0x20, octets({1, 0, 0, 0, 1})))},
      {"an authority with a line end", v2(0x21, 0x11, v4_addresses + tlv(0x02, "a\r\nb"))},
      {"an authority with a space", v2(0x21, 0x11, v4_addresses + tlv(0x02, "a b"))},
      {"an authority of 8-bit octets", v2(0x21, 0x11, v4_addresses + tlv(0x02, "\xff\xfe"))},
      {"an authority of 256 bytes", v2(0x21, 0x11, v4_addresses + tlv(0x02, std::string(256, 'a')))},
      {"a cipher with an escape",
       v2(0x21, 0x11, v4_addresses + tlv(0x20, octets({1, 0, 0, 0, 1}) + tlv(0x23, "\x1b[1m")))},
  };
  return rows;
}

void check_complete(std::string_view bytes, const ProxyHeader& header, std::size_t size) {
  const auto result = parse_proxy_header(bytes);
  if (const auto* reason = std::get_if<ProxyHeaderInvalid>(&result)) CAPTURE(reason->reason);
  REQUIRE(std::holds_alternative<ProxyHeaderComplete>(result));
  const auto& complete = std::get<ProxyHeaderComplete>(result);
  CHECK(complete.size == size);
  CHECK(complete.header == header);
}

}  // namespace

TEST_CASE("a good header is read, and what is behind it is left alone") {
  for (const Good& row : good()) {
    CAPTURE(row.name);
    check_complete(row.bytes, row.header, row.bytes.size());
    check_complete(row.bytes + "\x16\x03\x01 ClientHello", row.header, row.bytes.size());
    check_complete(row.bytes + row.bytes, row.header, row.bytes.size());
  }
}

TEST_CASE("every prefix of a good header is incomplete") {
  for (const Good& row : good()) {
    CAPTURE(row.name);
    for (std::size_t size = 0; size < row.bytes.size(); ++size) {
      CAPTURE(size);
      const auto result = parse_proxy_header(std::string_view(row.bytes).substr(0, size));
      REQUIRE(std::holds_alternative<ProxyHeaderIncomplete>(result));
    }
  }
}

TEST_CASE("a bad header is invalid however it arrives, and stays so") {
  for (const auto& [name, bytes] : invalid()) {
    CAPTURE(name);
    bool seen = false;
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
      CAPTURE(size);
      const auto result = parse_proxy_header(std::string_view(bytes).substr(0, size));
      REQUIRE_FALSE(std::holds_alternative<ProxyHeaderComplete>(result));
      const auto* why = std::get_if<ProxyHeaderInvalid>(&result);
      if (seen) REQUIRE(why != nullptr);
      if (why != nullptr) CHECK_FALSE(why->reason.empty());
      seen = why != nullptr;
    }
    CHECK(seen);
  }
}

TEST_CASE("no input keeps a reader waiting behind the greatest size") {
  CHECK_FALSE(
      std::holds_alternative<ProxyHeaderIncomplete>(parse_proxy_header("PROXY " + std::string(2000, 'x'))));
  for (int first = 0; first < 256; ++first) {
    const std::string bytes = octets({first}) + std::string(kProxyHeaderMax, 'x');
    CHECK_FALSE(std::holds_alternative<ProxyHeaderIncomplete>(parse_proxy_header(bytes)));
  }
}
