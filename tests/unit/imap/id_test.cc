#include "parsers/imap/id.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <string>

namespace postern {
namespace {

std::expected<ImapId, std::string_view> parse(std::string_view arguments) {
  ImapLexer lexer(100'000, 2000);
  LineBuffer buffer;
  buffer.append("a ID " + std::string(arguments) + "\r\n");
  const auto result = lexer.read(buffer);
  return parse_id(std::get<ImapCommand>(result));
}

ClientIdentity identity() {
  ClientIdentity result;
  result.session = "s1";
  result.client = *Endpoint::parse("192.0.2.1:1234");
  result.connected = *Endpoint::parse("[2001:db8::1]:993");
  result.secure = true;
  result.server_name = "imap.example.net";
  result.hops_left = 6;
  result.client_id = R"("name" "x")";
  return result;
}

}  // namespace

TEST_CASE("thirty fields of the client and those of proxies fit together") {
  std::string fields;
  for (int i = 0; i < 30; ++i) fields += "\"f" + std::to_string(i) + "\" \"v\" ";
  const std::string proxy = R"("x-originating-ip" "192.0.2.9" "x-proxy-ttl" "4" "x-forward-a" "b")";
  const auto id = parse("(" + fields + proxy + ")");
  REQUIRE(id);
  CHECK(id->forwarded.client == Endpoint::parse("192.0.2.9:0"));
  CHECK(id->forwarded.hops_left == 4U);
  CHECK(id->client.starts_with(R"("f0" "v" "f1" "v")"));
  CHECK(id->client.ends_with(R"("f29" "v")"));
  CHECK_FALSE(parse("(" + fields + R"("f30" "v"))"));
}

TEST_CASE("what can't be read makes the forwarded identity malformed, and nothing of it stays") {
  for (const std::string field : {
           R"("x-originating-ip" "")",
           R"("x-originating-ip" "192.0.2")",
           R"("x-originating-ip" "[2001:db8::1]")",
           R"("x-originating-ip" "fe80::1%eth0")",
           R"("x-originating-ip" "192.0.2.1" "x-originating-port" "")",
           R"("x-originating-ip" "192.0.2.1" "x-originating-port" "+1")",
           R"("x-originating-ip" "192.0.2.1" "x-originating-port" "65536")",
           R"("x-originating-ip" "192.0.2.1" "x-originating-port" "1 ")",
           R"("x-connected-port" "993")",
           R"("x-connected-name" "a b")",
           R"("x-connected-name" "a/b")",
           R"("x-session-id" "")",
           R"("x-session-id" "a b")",
           R"("x-proxy-ttl" "")",
           R"("x-proxy-ttl" "x")",
           R"("x-proxy-ttl" "99999999999999999999")",
       }) {
    CAPTURE(field);
    const auto id = parse("(\"x-session-ext-id\" \"e\" " + field + ")");
    REQUIRE(id);
    Forwarded malformed;
    malformed.malformed = true;
    CHECK(id->forwarded == malformed);
  }
}

TEST_CASE("a NIL or an empty server name is not there") {
  const auto id =
      parse(R"(("x-originating-ip" NIL "x-connected-name" "" "x-session-id" NIL "x-proxy-ttl" NIL))");
  REQUIRE(id);
  CHECK(id->forwarded == Forwarded{});
}

TEST_CASE("a session of 64 and a server name of 255 octets are read") {
  const std::string session(64, 's');
  const std::string name(255, 'n');
  const auto id = parse("(\"x-session-id\" \"" + session + "\" \"x-connected-name\" \"" + name + "\")");
  REQUIRE(id);
  CHECK(id->forwarded.session == session);
  CHECK(id->forwarded.server_name == name);
  CHECK(parse("(\"x-connected-name\" \"" + name + "n\")")->forwarded.malformed);
}

TEST_CASE("a client's ID for the store is bounded, and whole fields are left out") {
  const std::string large = "\"" + std::string(1024, 'v') + "\"";
  const auto id = parse("(\"a\" " + large + " \"b\" " + large + " \"c\" \"d\")");
  REQUIRE(id);
  CHECK(id->client == "\"a\" " + large + " \"c\" \"d\"");
  CHECK(id->client.size() <= ImapId::kClientMax);
}

TEST_CASE("a value that is longer than Dovecot reads when it is quoted stays here") {
  const auto id = parse("(\"a\" {513+}\r\n" + std::string(513, '"') + " \"b\" {512+}\r\n" +
                        std::string(512, '"') + " \"c\" \"d\")");
  REQUIRE(id);
  std::string escaped;
  for (int i = 0; i < 512; ++i) escaped += "\\\"";
  CHECK(id->client == "\"b\" \"" + escaped + "\" \"c\" \"d\"");

  ClientIdentity nobody;
  nobody.forward = {{"a", std::string(513, '"')}, {"b", std::string(512, '"')}};
  const std::string text = write_id(nobody);
  CHECK(text.find("x-forward-a") == std::string::npos);
  CHECK(text.ends_with("\"x-forward-b\" \"" + escaped + "\")"));
}

TEST_CASE("a store gets thirty pairs, and what is forwarded goes before the client's words") {
  const auto pairs_in = [](const std::string& text) {
    return std::ranges::count(text, '"') / 4;  // of quoted strings without quotes in them
  };
  ClientIdentity client = identity();
  client.client_id.clear();
  for (int i = 0; i < 30; ++i)
    client.client_id += (i > 0 ? " " : "") + ("\"f" + std::to_string(i)) + "\" \"v w\"";
  for (int i = 0; i < 2; ++i) client.forward.emplace_back("n" + std::to_string(i), "v");
  std::string text = write_id(client);
  CHECK(pairs_in(text) == 30);
  CHECK(text.find(R"("f19" "v w" "x-session-id" "s1")") != std::string::npos);
  CHECK(text.ends_with(R"("x-forward-n0" "v" "x-forward-n1" "v"))"));

  for (int i = 2; i < 40; ++i) client.forward.emplace_back("n" + std::to_string(i), "v");
  text = write_id(client);
  CHECK(pairs_in(text) == 30);
  CHECK(text.starts_with(R"(("x-session-id" "s1")"));
  CHECK(text.ends_with(R"("x-forward-n21" "v"))"));
}

TEST_CASE("quotes and NIL in the client's words do not mislead who counts them") {
  ClientIdentity client = identity();
  client.client_id = R"("a" NIL "b" "\"x \\" "c" "d")";
  for (int i = 0; i < 20; ++i) client.forward.emplace_back("n" + std::to_string(i), "v");
  CHECK(write_id(client).starts_with(R"(("a" NIL "b" "\"x \\" "x-session-id")"));
}

TEST_CASE("the fields that Dovecot reads are written in its order") {
  CHECK(write_id(identity()) ==
        R"(("name" "x" "x-session-id" "s1" "x-originating-ip" "192.0.2.1" "x-originating-port" "1234" )"
        R"("x-connected-ip" "2001:db8::1" "x-connected-port" "993" "x-proxy-ttl" "6" )"
        R"("x-client-transport" "TLS" "x-connected-name" "imap.example.net"))");
}

TEST_CASE("fields without a value are not written") {
  ClientIdentity nobody;
  nobody.hops_left = 1;
  CHECK(write_id(nobody) == R"(("x-proxy-ttl" "1" "x-client-transport" "insecure"))");
}

TEST_CASE("a server name that no quoted string can carry is not written") {
  ClientIdentity odd = identity();
  odd.server_name = "a\r\nL LOGOUT";
  CHECK(write_id(odd).find("x-connected-name") == std::string::npos);
}

TEST_CASE("what is forwarded stands at the end, each name once, and is bounded") {
  ClientIdentity nobody;
  nobody.hops_left = 1;
  const std::string before = R"(("x-proxy-ttl" "1" "x-client-transport" "insecure")";
  nobody.forward = {{"a", "1"}, {"A", "2"}, {"b=c d", "\"\\"}};
  CHECK(write_id(nobody) == before + R"( "x-forward-a" "1" "x-forward-b=c d" "\"\\"))");
  nobody.forward.clear();
  for (const char* name : {"a", "b", "c", "d"}) nobody.forward.emplace_back(name, std::string(1024, 'v'));
  nobody.forward.emplace_back("e", "last");
  const std::string text = write_id(nobody);
  CHECK(text.size() <= before.size() + kForwardMax + 1);
  CHECK(text.find("x-forward-c") != std::string::npos);
  CHECK(text.find("x-forward-d") == std::string::npos);
  CHECK(text.ends_with(R"( "x-forward-e" "last"))"));
}

TEST_CASE("an inner Postern reads an ID with everything that may be forwarded") {
  ClientIdentity client = identity();
  client.forward = {{std::string(20, 'n'), std::string(1024, 'v')}, {"b", ""}, {"B", "2"}};
  const auto id = parse(write_id(client));
  REQUIRE(id);
  CHECK(id->client == R"("name" "x")");
  CHECK(id->forwarded.session == "s1");
}

TEST_CASE("what Postern writes about a client is what an inner Postern reads") {
  const auto id = parse(write_id(identity()));
  REQUIRE(id);
  CHECK(id->client == R"("name" "x")");
  CHECK(id->forwarded.client == identity().client);
  CHECK(id->forwarded.connected == identity().connected);
  CHECK(id->forwarded.session == "s1");
  CHECK(id->forwarded.server_name == "imap.example.net");
  CHECK(id->forwarded.hops_left == 6U);
}

}  // namespace postern
