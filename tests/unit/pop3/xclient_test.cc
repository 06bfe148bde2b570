#include "parsers/pop3/xclient.h"

#include <doctest/doctest.h>
#include <string>

using namespace postern;
using namespace postern::pop3;

namespace {

ClientIdentity identity() {
  return {.session = "s1",
          .client = *Endpoint::parse("192.0.2.1:1234"),
          .connected = *Endpoint::parse("[2001:db8::1]:995"),
          .secure = true,
          .server_name = "pop.example.org",
          .hops_left = 6,
          .client_id = {}};
}

std::string_view arguments_of(std::string_view line) {
  line.remove_prefix(std::string_view("XCLIENT ").size());
  line.remove_suffix(2);
  return line;
}

}  // namespace

TEST_CASE("what one Postern writes another reads") {
  const auto line = write_xclient(identity());
  CHECK(line ==
        "XCLIENT ADDR=192.0.2.1 PORT=1234 DESTADDR=2001:db8::1 DESTPORT=995 SESSION=s1 TTL=6 "
        "CLIENT-TRANSPORT=TLS DESTNAME=pop.example.org\r\n");
  const auto read = parse_xclient(arguments_of(line));
  REQUIRE(read.has_value());
  CHECK(*read == Forwarded{.client = identity().client,
                           .connected = identity().connected,
                           .session = "s1",
                           .server_name = "pop.example.org",
                           .hops_left = 6,
                           .malformed = false});
}

TEST_CASE("what is not known is left out") {
  CHECK(write_xclient({}) == "XCLIENT TTL=7 CLIENT-TRANSPORT=insecure\r\n");
}

TEST_CASE("no value can hold a space or a second line") {
  for (const std::string bad : {" ", "a b", "a\r\nUSER x", "a\tb", "a\x7f", "\xc3\xa4", "", "a/b"}) {
    CAPTURE(bad);
    auto client = identity();
    client.server_name = bad;
    CHECK(write_xclient(client).find("DESTNAME") == std::string::npos);
    CHECK(write_xclient(client).find("\r\n") == write_xclient(client).size() - 2);
    if (bad == "a/b") continue;  // a session id may hold it
    client.session = bad;
    CHECK(write_xclient(client).find("SESSION") == std::string::npos);
  }
}

TEST_CASE("the longest line fits what Dovecot reads") {
  auto client = identity();
  client.session = std::string(64, 's');
  client.server_name = std::string(255, 'n');
  client.client = client.connected = *Endpoint::parse("[2001:db8:1111:2222:3333:4444:5555:6666]:65535");
  client.hops_left = 4294967295;
  CHECK(write_xclient(client).size() <= kXclientMax);
  CHECK(write_xclient(client).find(client.server_name) != std::string::npos);
  client.server_name += 'n';
  CHECK(write_xclient(client).find("DESTNAME") == std::string::npos);
}

TEST_CASE("IPv4 inside IPv6 is IPv4") {
  const auto read = parse_xclient("ADDR=::ffff:192.0.2.1 PORT=5");
  REQUIRE(read.has_value());
  CHECK(read->client == Endpoint::parse("192.0.2.1:5"));
}

TEST_CASE("a name that could not be told from its value is not forwarded") {
  auto client = identity();
  client.forward = {{"a=b", "c"}, {"", "x"}};
  CHECK(write_xclient(client).find("FORWARD") == std::string::npos);
  client.forward.emplace_back("d", "=");
  CHECK(write_xclient(client).ends_with(" FORWARD=ZD09\r\n"));
  CHECK(parse_xclient(write_xclient(client).substr(8, write_xclient(client).size() - 10)).has_value());
}

TEST_CASE("what is forwarded never makes the line longer than Dovecot reads") {
  auto client = identity();
  for (std::size_t size = 0; size <= 1024; ++size) {
    client.forward = {{"k", std::string(size, 'v')}};
    const auto line = write_xclient(client);
    CHECK(line.size() <= kXclientMax);
    CHECK(line.ends_with("\r\n"));
    if (size < 500) CHECK(line.find(" FORWARD=") != std::string::npos);
  }
}
