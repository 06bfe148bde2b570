#include "parsers/pop3/reply.h"

#include <doctest/doctest.h>
#include <string>

using namespace postern::pop3;

TEST_CASE("a status stands alone or before a space") {
  struct Row {
    const char* line;
    bool readable, ok;
    const char *code, *text;
  };
  const Row rows[] = {
      {"+OK", true, true, "", ""},
      {"+OK ", true, true, "", ""},
      {"+OK hi there", true, true, "", "hi there"},
      {"+OK [AUTH] hi", true, true, "", "[AUTH] hi"},
      {"-ERR", true, false, "", ""},
      {"-ERR no", true, false, "", "no"},
      {"-ERR [SYS/TEMP] no", true, false, "SYS/TEMP", "no"},
      {"-ERR [SYS/TEMP]no", true, false, "SYS/TEMP", "no"},
      {"-ERR [SYS/TEMP]", true, false, "SYS/TEMP", ""},
      {"-ERR [a b]  no", true, false, "a b", " no"},
      {"-ERR  [AUTH] no", true, false, "", " [AUTH] no"},
      {"-ERR [a[b] no", true, false, "", "[a[b] no"},
      {"-ERR [a\x1b] no", true, false, "", "[a\x1b] no"},
      {"-ERR [\xc3\xa4] no", true, false, "", "[\xc3\xa4] no"},
      {"-ERR [AUTH no", true, false, "", "[AUTH no"},
      {"", false, false, "", ""},
      {"+", false, false, "", ""},
      {"+ ", false, false, "", ""},
      {"+OKAY", false, false, "", ""},
      {"+ok", false, false, "", ""},
      {"-ERROR", false, false, "", ""},
      {"-err", false, false, "", ""},
      {" +OK", false, false, "", ""},
      {"OK", false, false, "", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.line);
    const auto reply = parse_reply(row.line);
    REQUIRE(reply.has_value() == row.readable);
    if (!reply) continue;
    CHECK(reply->ok == row.ok);
    CHECK(reply->code == row.code);
    CHECK(reply->text == row.text);
  }
}

TEST_CASE("NUL makes a status line unreadable") {
  CHECK_FALSE(parse_reply(std::string_view("+OK \0", 5)));
  CHECK_FALSE(parse_reply(std::string_view("-ERR\0", 5)));
}

TEST_CASE("a reply is one line of at most 512 octets") {
  CHECK(write_ok("") == "+OK\r\n");
  CHECK(write_ok("hi") == "+OK hi\r\n");
  CHECK(write_error("", "") == "-ERR\r\n");
  CHECK(write_error("", "no") == "-ERR no\r\n");
  CHECK(write_error("AUTH", "no") == "-ERR [AUTH] no\r\n");
  CHECK(write_error("A\r\nB", "no\n+OK") == "-ERR [AB] no+OK\r\n");
  CHECK(write_ok(std::string(506, 'x')).size() == 512);
  CHECK(write_ok(std::string(507, 'x')) == "+OK " + std::string(506, 'x') + "\r\n");
  CHECK(write_error("AUTH", std::string(9000, 'x')).size() == 512);
}

TEST_CASE("what is written can be read") {
  const auto line = write_error("SYS/PERM", "so it is");
  const auto reply = parse_reply(std::string_view(line).substr(0, line.size() - 2));
  REQUIRE(reply.has_value());
  CHECK(reply->code == "SYS/PERM");
  CHECK(reply->text == "so it is");
}
