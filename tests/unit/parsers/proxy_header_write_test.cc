#include <doctest/doctest.h>
#include <string>
#include <vector>

#include "parsers/proxy_header.h"
#include "tests/unit/parsers/addressed.h"

using namespace postern;

namespace {

ProxyHeader read_back(const std::string& bytes) {
  const auto result = parse_proxy_header(bytes);
  REQUIRE(std::holds_alternative<ProxyHeaderComplete>(result));
  CHECK(std::get<ProxyHeaderComplete>(result).size == bytes.size());
  return std::get<ProxyHeaderComplete>(result).header;
}

const std::string local("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16);

}  // namespace

TEST_CASE("version 1 is one line") {
  CHECK(write_proxy_v1(addressed("192.0.2.1:12345", "198.51.100.7:993")) ==
        "PROXY TCP4 192.0.2.1 198.51.100.7 12345 993\r\n");
  CHECK(write_proxy_v1(addressed("[2001:db8::1]:12345", "[2001:db8::2]:993")) ==
        "PROXY TCP6 2001:db8::1 2001:db8::2 12345 993\r\n");
  CHECK(write_proxy_v1({}) == "PROXY UNKNOWN\r\n");
  CHECK(write_proxy_v1(addressed("192.0.2.1:1", "[::1]:2")) == "PROXY UNKNOWN\r\n");
}

TEST_CASE("the longest version 1 line is accepted") {
  const char* longest = "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535";
  const std::string line = write_proxy_v1(addressed(longest, longest));
  CHECK(line.size() <= 107);
  CHECK(read_back(line) == addressed(longest, longest));
}

TEST_CASE("version 2 is the octets of the standard") {
  CHECK(
      write_proxy_v2(addressed("192.0.2.1:12345", "198.51.100.7:993")) ==
      std::string("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\x00\x02\x01\xc6\x33\x64\x07\x30\x39\x03\xe1", 28));
  CHECK(write_proxy_v2({}) == local);
  CHECK(write_proxy_v2(addressed("192.0.2.1:1", "[::1]:2")) == local);
}

TEST_CASE("what version 2 writes is read back the same") {
  std::vector<ProxyHeader> rows{{},
                                addressed("192.0.2.1:12345", "198.51.100.7:993"),
                                addressed("[2001:db8::1]:0", "[2001:db8::2]:65535")};
  for (const std::size_t i : {1U, 2U}) {
    ProxyHeader named = rows[i];
    named.authority = "mail.example";
    rows.push_back(named);
    ProxyHeader secure = named;
    secure.secure = true;
    rows.push_back(secure);
    secure.tls_version = "TLSv1.3";
    secure.tls_cipher = "TLS_AES_128_GCM_SHA256";
    rows.push_back(secure);
  }
  for (const ProxyHeader& row : rows) {
    const std::string bytes = write_proxy_v2(row);
    CHECK(read_back(bytes) == row);
    CHECK(bytes.size() <= kProxyHeaderMax);
  }
}

TEST_CASE("version 1 leaves out what it has no place for") {
  ProxyHeader header = addressed("192.0.2.1:12345", "198.51.100.7:993");
  header.authority = "mail.example";
  header.secure = true;
  header.tls_version = "TLSv1.3";
  CHECK(read_back(write_proxy_v1(header)) == addressed("192.0.2.1:12345", "198.51.100.7:993"));
}
