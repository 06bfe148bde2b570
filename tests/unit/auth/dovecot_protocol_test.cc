#include "proxy/auth/dovecot_protocol.h"

#include <doctest/doctest.h>

namespace postern::auth {

namespace {

constexpr std::string_view kFirstBlock =
    "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tSCRAM-SHA-256\tmutual-auth\nMECH\tDOVECOT-TOKEN\tprivate\n"
    "SPID\t77\nCUID\t1\nCOOKIE\t0123456789abcdef0123456789abcdef\nDONE\n";

// All events until there is nothing more, in `piece`s; a word for each.
std::string play(DovecotProtocol& protocol, std::string_view bytes, std::size_t piece = std::string::npos) {
  std::string story;
  for (std::size_t at = 0; at < bytes.size(); at += std::min(piece, bytes.size())) {
    protocol.receive(bytes.substr(at, piece));
    while (true) {
      auto event = protocol.next();
      if (std::holds_alternative<DovecotProtocol::NeedData>(event)) break;
      if (std::holds_alternative<DovecotProtocol::Ready>(event)) story += "ready;";
      if (auto* broken = std::get_if<DovecotProtocol::Broken>(&event)) story += "broken:" + broken->why + ";";
      if (auto* reply = std::get_if<DovecotReply>(&event)) {
        constexpr std::string_view kKinds[] = {"cont", "ok", "fail"};
        story += std::string(kKinds[static_cast<int>(reply->kind)]) + " " + std::to_string(reply->id);
        if (reply->kind == DovecotReply::Kind::Continue) {
          story += reply->challenge ? " [" + *reply->challenge + "]" : " not base64";
        }
        for (const auto& [name, value] : reply->fields.named)
          story.append(" ").append(name).append("=").append(value);
        if (!reply->fields.pass.empty()) story += " pass " + std::string(reply->fields.pass.reveal());
        story += ";";
      }
    }
  }
  return story;
}

}  // namespace

TEST_CASE("the first block tells the mechanisms, however it is cut") {
  for (const std::size_t piece : {std::string::npos, std::size_t{1}, std::size_t{7}}) {
    CAPTURE(piece);
    DovecotProtocol protocol;
    CHECK_FALSE(protocol.ready());
    CHECK(play(protocol, kFirstBlock, piece) == "ready;");
    CHECK(protocol.ready());
    REQUIRE(protocol.mechanisms().size() == 3);
    CHECK(protocol.mechanisms()[1].name == "SCRAM-SHA-256");
    CHECK_FALSE(protocol.mechanisms()[1].hidden);
    CHECK(protocol.mechanisms()[2].hidden);
    CHECK(protocol.offers("PLAIN"));
    CHECK_FALSE(protocol.offers("LOGIN"));
  }
}

TEST_CASE("a first block that is none breaks the connection, once") {
  struct Row {
    std::string bytes, story;
  };
  std::string mechanisms = "VERSION\t1\t2\n";
  for (int i = 0; i < 65; ++i) mechanisms += "MECH\tM" + std::to_string(i) + "\n";
  const Row rows[] = {
      {"HTTP/1.1 400 Bad Request\r\n\r\n", "broken:it does not begin with its version;"},
      {"MECH\tPLAIN\nVERSION\t1\t2\n", "broken:it does not begin with its version;"},
      {"VERSION\t2\t0\nDONE\n", "broken:its protocol is not version 1;"},
      {"VERSION\t10\t0\nDONE\n", "broken:its protocol is not version 1;"},
      {"VERSION\n", "broken:its protocol is not version 1;"},
      {"VERSION\t1\t2\nOK\t1\tuser=bob\nDONE\n", "broken:a reply before its first block was over;"},
      {mechanisms, "broken:too many mechanisms;"},
      {std::string(70000, 'x'), "broken:a line longer than 64 KiB;"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.bytes.substr(0, 60));
    DovecotProtocol protocol;
    CHECK(play(protocol, row.bytes) == row.story);
    CHECK(play(protocol, kFirstBlock).empty());
    CHECK_FALSE(protocol.ready());
  }
}

TEST_CASE("replies are understood, and what is not one breaks the connection") {
  struct Row {
    std::string bytes, story;
  };
  const std::string longest = "OK\t1\tuser=" + std::string(DovecotProtocol::kLongestLine - 10, 'u');
  const Row rows[] = {
      {"OK\t1\tuser=bob\tproxy\thost=10.0.0.5\tpass=s\001tp\n",
       "ok 1 user=bob proxy= host=10.0.0.5 pass s\tp;"},
      {"OK\t4294967295\n", "ok 4294967295;"},
      {"OK\t1\tx=a\0010b\0011c\001td\001re\001nf=g\n", std::string("ok 1 x=a\0b\001c\td\re\nf=g;", 21)},
      {"FAIL\t2\tuser=bob\ttemp\n", "fail 2 user=bob temp=;"},
      {"FAIL\t2\n", "fail 2;"},
      {"CONT\t3\tPDEyM0B4Pg==\n", "cont 3 [<123@x>];"},
      {"CONT\t3\t\n", "cont 3 [];"},
      {"CONT\t3\n", "cont 3 [];"},
      {"CONT\t3\t!!!\n", "cont 3 not base64;"},
      {"CONT\t3\t#out of band\n", "cont 3 not base64;"},
      {"NEWS\t1\nOK\t1\n", "ok 1;"},
      {"OK\tx\n", "broken:a reply without the number of its question;"},
      {"OK\t-1\n", "broken:a reply without the number of its question;"},
      {"OK\t4294967296\n", "broken:a reply without the number of its question;"},
      {"FAIL\n", "broken:a reply without the number of its question;"},
      {"OK\t1\tuser=a\001x\n", "broken:a value with a bad escape;"},
      {"OK\t1\tuser=a\001\n", "broken:a value with a bad escape;"},
      {longest + "\n", "ok 1 user=" + std::string(DovecotProtocol::kLongestLine - 10, 'u') + ";"},
      {longest + "u\n", "broken:a line longer than 64 KiB;"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.bytes.substr(0, 60));
    DovecotProtocol protocol;
    CHECK(play(protocol, kFirstBlock) == "ready;");
    CHECK(play(protocol, row.bytes, 1000) == row.story);
  }
}

TEST_CASE("escaping takes every octet there and back in one line") {
  std::string all;
  for (int octet = 0; octet < 256; ++octet) all += static_cast<char>(octet);
  Secret escaped;
  append_escaped(escaped, all);
  CHECK(escaped.reveal().find_first_of(std::string_view("\0\t\r\n", 4)) == std::string_view::npos);
  CHECK(unescape(escaped.reveal()) == all);
}

}  // namespace postern::auth
