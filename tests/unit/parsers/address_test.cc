#include "parsers/address.h"

#include <doctest/doctest.h>
#include <string>
#include <vector>

using namespace postern;

namespace {

Address address(std::string_view text) {
  const auto parsed = Address::parse(text);
  REQUIRE_MESSAGE(parsed.has_value(), std::string(text));
  return *parsed;
}

struct Text {
  std::string given;
  std::string canonical;
};

}  // namespace

TEST_CASE("addresses are read and written in their canonical form") {
  const std::vector<Text> rows{
      {"192.0.2.1", "192.0.2.1"},
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
      {"::", "::"},
      {"::1", "::1"},
      {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
      {"2001:db8::1:0:0:1", "2001:db8::1:0:0:1"},
      {"::ffff:192.0.2.1", "192.0.2.1"},
      {"::ffff:c000:201", "192.0.2.1"},
      {"fe80::1", "fe80::1"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
  };
  for (const Text& row : rows) {
    CAPTURE(row.given);
    CHECK(address(row.given).to_string() == row.canonical);
    CHECK(address(row.canonical) == address(row.given));
  }
  CHECK(Address{}.to_string() == "");
}

TEST_CASE("what is not an address literal is no address") {
  const std::vector<std::string> rows{
      "",
      " ",
      "localhost",
      "192.0.2",
      "192.0.2.1.1",
      "192.0.2.256",
      "192.0.2.01",
      "192.0.2.1 ",
      " 192.0.2.1",
      "192.0.2.1:993",
      "0x7f.0.0.1",
      "127.1",
      "[::1]",
      "::1%eth0",
      ":::",
      "1::2::3",
      "12345::",
      "::g",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "192.0.2.-1",
      std::string("192.0.2.1\0", 10),
      std::string(100, '1'),
  };
  for (const std::string& row : rows) {
    CAPTURE(row);
    CHECK(Address::parse(row) == std::nullopt);
  }
}

TEST_CASE("loopback") {
  for (const char* text : {"127.0.0.1", "127.255.0.3", "::1", "::ffff:127.0.0.1"}) {
    CAPTURE(text);
    CHECK(address(text).is_loopback());
  }
  for (const char* text : {"128.0.0.1", "::", "::2", "1::1", "0.0.0.0", "::ffff:192.0.2.1"}) {
    CAPTURE(text);
    CHECK_FALSE(address(text).is_loopback());
  }
  CHECK_FALSE(Address{}.is_loopback());
}

TEST_CASE("endpoints are read and written") {
  const std::vector<Text> rows{
      {"192.0.2.1:993", "192.0.2.1:993"},      {"[2001:db8::1]:993", "[2001:db8::1]:993"},
      {"[::ffff:192.0.2.1]:1", "192.0.2.1:1"}, {"127.0.0.1:0", "127.0.0.1:0"},
      {"127.0.0.1:65535", "127.0.0.1:65535"},
  };
  for (const Text& row : rows) {
    CAPTURE(row.given);
    const auto endpoint = Endpoint::parse(row.given);
    REQUIRE(endpoint.has_value());
    CHECK(endpoint->to_string() == row.canonical);
  }
}

TEST_CASE("what is not an endpoint is none") {
  for (const char* text : {"",
                           ":",
                           ":993",
                           "192.0.2.1",
                           "192.0.2.1:",
                           "192.0.2.1:65536",
                           "192.0.2.1:0993",
                           "192.0.2.1:+1",
                           "192.0.2.1:-1",
                           "192.0.2.1: 1",
                           "192.0.2.1:1 ",
                           "::1",
                           "::1:993",
                           "[::1]",
                           "[::1]993",
                           "[::1]:",
                           "[192.0.2.1]:993",
                           "[]:1",
                           "[:1",
                           "localhost:993",
                           "192.0.2.1:99999999999999999999",
                           "[[::1]]:1",
                           "192.0.2.1:1:2"}) {
    CAPTURE(text);
    CHECK(Endpoint::parse(text) == std::nullopt);
  }
}

TEST_CASE("a network holds its addresses and no others") {
  struct Row {
    const char* network;
    std::vector<const char*> inside;
    std::vector<const char*> outside;
  };
  const std::vector<Row> rows{
      {"10.0.0.0/8",
       {"10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"},
       {"11.0.0.0", "9.255.255.255", "::a00:0"}},
      {"192.0.2.128/25", {"192.0.2.128", "192.0.2.255"}, {"192.0.2.127", "192.0.3.128"}},
      {"192.0.2.4/30", {"192.0.2.4", "192.0.2.7"}, {"192.0.2.3", "192.0.2.8"}},
      {"192.0.2.1", {"192.0.2.1"}, {"192.0.2.0", "192.0.2.2"}},
      {"192.0.2.1/32", {"192.0.2.1"}, {"192.0.2.0"}},
      {"0.0.0.0/0", {"0.0.0.0", "255.255.255.255"}, {"::", "::1"}},
      {"::/0", {"::", "2001:db8::1"}, {"192.0.2.1", "::ffff:192.0.2.1"}},
      {"2001:db8::/32", {"2001:db8::", "2001:db8:ffff::1"}, {"2001:db9::", "2001:db7:ffff::"}},
      {"2001:db8:8000::/33", {"2001:db8:8000::", "2001:db8:ffff::"}, {"2001:db8:7fff::"}},
      {"::1", {"::1"}, {"::", "::2", "0.0.0.1"}},
      {"::ffff:10.0.0.0/104", {"10.1.2.3", "::ffff:10.1.2.3"}, {"11.0.0.0"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.network);
    const auto network = Network::parse(row.network);
    REQUIRE(network.has_value());
    for (const char* text : row.inside) CHECK_MESSAGE(network->contains(address(text)), text);
    for (const char* text : row.outside) CHECK_MESSAGE(!network->contains(address(text)), text);
    CHECK_FALSE(network->contains(Address{}));
  }
}

TEST_CASE("what is not exactly a network is none") {
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8 ",
                           "10.0.0.0/8/8", "10.0.0.1/8", "192.0.2.129/25", "2001:db8::1/32", "::/129",
                           "[::]/0", "::ffff:0.0.0.0/90", "::ffff:10.0.0.0/129", "mail/8", "10/8"}) {
    CAPTURE(text);
    CHECK(Network::parse(text) == std::nullopt);
  }
}

TEST_CASE("limits count an IPv4 address, and the /64 of an IPv6 address") {
  CHECK(limit_key(address("192.0.2.1")) == address("192.0.2.1"));
  CHECK(limit_key(address("2001:db8:1:2:3:4:5:6")) == address("2001:db8:1:2::"));
  CHECK(limit_key(address("2001:db8:1:3::1")) == address("2001:db8:1:3::"));
  CHECK(limit_key(address("::ffff:192.0.2.1")) == address("192.0.2.1"));
  CHECK(limit_key(Address{}) == Address{});
}
