#include "parsers/imap/reply.h"

#include <doctest/doctest.h>
#include <string>

namespace postern {
namespace {

using std::string_view_literals::operator""sv;

std::string read_all(std::string_view bytes, std::size_t piece) {
  ImapReplyReader reader;
  LineBuffer buffer;
  std::string all;
  while (!bytes.empty()) {
    buffer.append(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    while (true) {
      const auto result = reader.read(buffer);
      if (std::holds_alternative<ImapReplyReader::NeedMore>(result)) break;
      if (std::holds_alternative<ImapReplyReader::Invalid>(result)) return all + "invalid";
      const auto& reply = std::get<ImapReply>(result);
      if (reply.kind == ImapReply::Kind::Continue) all += "+;";
      if (reply.kind == ImapReply::Kind::Untagged) all += "*:" + reply.word + ":" + reply.text + ";";
      if (reply.kind == ImapReply::Kind::Tagged) all += reply.tag + ":" + reply.word + ":" + reply.text + ";";
    }
  }
  return all;
}

}  // namespace

TEST_CASE("replies are read, however they arrive") {
  struct Row {
    std::string_view bytes;
    std::string_view expected;
  };
  for (const Row& row : {
           Row{"* OK hi\r\n", "*:OK:hi;"},
           Row{"* OK\r\n", "*:OK:;"},
           Row{"L NO [X] no\r\nC bad\n", "L:NO:[X] no;C:bad:;"},
           Row{"+\r\n+ \r\n+ text\r\n", "+;+;+;"},
           Row{"* 3 EXISTS\r\n", "*:3:EXISTS;"},
           Row{"* ID (\"a\" {3}\r\nx\r\n NIL)\r\n* OK\r\n", "*:ID:(\"a\" {3}\r\nx\r\n NIL);*:OK:;"},
           Row{"* ID ({0}\r\n {1}\r\n\x01)\r\n", "*:ID:({0}\r\n {1}\r\n\x01);"},
           Row{"* OK {3}\r\n* BYE {3}\r\nL OK {3}\r\n", "*:OK:{3};*:BYE:{3};L:OK:{3};"},
           Row{"* X {3+}\r\n", "*:X:{3+};"},
           Row{"* OK a\tb\x1b"
               "c\x7f\r\n",
               "*:OK:abc;"},
           Row{"* OK gr\xc3\xbc\xc3\x9f\r\n", "*:OK:gr\xc3\xbc\xc3\x9f;"},
       }) {
    CAPTURE(row.bytes);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{5}, row.bytes.size()}) {
      CHECK(read_all(row.bytes, piece) == row.expected);
    }
  }
}

TEST_CASE("what no IMAP server says is invalid") {
  for (const std::string_view bytes :
       {"\r\n"sv, "*\r\n"sv, "* \r\n"sv, "*  OK\r\n"sv, "OK\r\n"sv, "L\r\n"sv, "L  OK\r\n"sv, "L YES\r\n"sv,
        "L BYE\r\n"sv, "L PREAUTH x\r\n"sv, "L OKAY x\r\n"sv, "+OK ready\r\n"sv, "-ERR busy\r\n"sv,
        "* OK a\0b\r\n"sv, "* OK a\rb\r\n"sv, "HTTP/1.1 400 Bad Request\r\n"sv, "* X {65536}\r\n"sv,
        "* X {99999999999999999999}\r\n"sv, "\x16\x03\x01 OK\r\n"sv}) {
    CAPTURE(bytes);
    CHECK(read_all(bytes, bytes.size()) == "invalid");
  }
}

TEST_CASE("a reply is bounded, with and without an end, and with its literals") {
  const std::string most(ImapReplyReader::kReplyMax - 5, 'x');
  CHECK(read_all("* OK " + most + "\r\n", 10'000).starts_with("*:OK:xxx"));
  CHECK(read_all("* OK " + most + "x\r\n", 10'000) == "invalid");
  CHECK(read_all("* OK " + most + "x", 10'000) == "invalid");
  CHECK(read_all("* ID {60000}\r\n" + std::string(60'000, 'x') + std::string(10'000, 'y'), 10'000) ==
        "invalid");
  CHECK(read_all("* ID {60000}\r\n" + std::string(60'000, 'x') + " {6000}\r\n", 10'000) == "invalid");
}

TEST_CASE("a response code is told from the text behind it") {
  struct Row {
    std::string_view text;
    std::string_view code;
    std::string_view rest;
  };
  for (const Row& row : {
           Row{"no", "", "no"},
           Row{"", "", ""},
           Row{"[UNAVAILABLE] Try later.", "UNAVAILABLE", "Try later."},
           Row{"[ALERT]now", "ALERT", "now"},
           Row{"[ALERT]", "ALERT", ""},
           Row{"[BADCHARSET (a b)] x", "BADCHARSET (a b)", "x"},
           Row{"[ALERT no end", "", "[ALERT no end"},
           Row{"[]x", "", "[]x"},
           Row{"[ X] x", "", "[ X] x"},
           Row{"[A[B] x", "", "[A[B] x"},
           Row{"[A B[C] x", "", "[A B[C] x"},
           Row{"]x[", "", "]x["},
       }) {
    CAPTURE(row.text);
    const ResponseText split = split_code(row.text);
    CHECK(split.code == row.code);
    CHECK(split.text == row.rest);
  }
}

}  // namespace postern
