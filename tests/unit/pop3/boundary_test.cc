#include "parsers/boundary.h"

#include <doctest/doctest.h>
#include <string>
#include <vector>

using postern::ImapBoundary;
using std::literals::operator""s;

namespace {

bool at_boundary(std::string_view bytes) {
  ImapBoundary boundary;
  boundary.feed(bytes);
  return boundary.at_boundary();
}

bool opaque(std::string_view bytes) {
  ImapBoundary boundary;
  boundary.feed(bytes);
  return boundary.opaque();
}

// Which of the first 0, 1, 2 ... octets end at a boundary, as '1' and '0'; fed octet by octet.
std::string boundaries(std::string_view bytes) {
  ImapBoundary boundary;
  std::string result(1, boundary.at_boundary() ? '1' : '0');
  for (const char c : bytes) {
    boundary.feed({&c, 1});
    result += boundary.at_boundary() ? '1' : '0';
  }
  return result;
}

// The same, each prefix fed whole and cut in two at every place.
void check_every_split(const std::string& bytes) {
  const std::string expected = boundaries(bytes);
  for (std::size_t end = 0; end <= bytes.size(); ++end) {
    for (std::size_t cut = 0; cut <= end; ++cut) {
      ImapBoundary boundary;
      boundary.feed(std::string_view(bytes).substr(0, cut));
      if (boundary.at_boundary() != (expected[cut] == '1')) FAIL("at ", cut, " of ", bytes);
      boundary.feed(std::string_view(bytes).substr(cut, end - cut));
      if (boundary.at_boundary() != (expected[end] == '1')) FAIL("cut ", cut, ", at ", end, " of ", bytes);
    }
  }
}

// Whole responses: the only boundaries are between them.
void check_responses(const std::vector<std::string>& responses) {
  std::string bytes;
  std::string expected = "1";
  for (const auto& response : responses) {
    bytes += response;
    expected += std::string(response.size() - 1, '0') + '1';
  }
  CHECK(boundaries(bytes) == expected);
  check_every_split(bytes);
}

}  // namespace

TEST_CASE("the session begins at a boundary") {
  CHECK(ImapBoundary().at_boundary());
  CHECK(at_boundary(""));
}

TEST_CASE("only whole lines end at a boundary") {
  check_responses({"* 1 EXISTS\r\n", "* FLAGS (\\Seen)\r\n", "a OK done\r\n", "+ idling\r\n", "\r\n"});
}

TEST_CASE("no octet of a literal is a boundary, whatever it holds") {
  check_responses({"* 1 FETCH (BODY[] {20}\r\na OK\r\n* BYE {3}\r\n\0\r\n UID 1)\r\n"s, "a OK x\r\n"});
  check_responses({"* 1 FETCH (BINARY[1] ~{4}\r\n\0\n\r\n)\r\n"s});
  check_responses({"* 1 FETCH (A {0}\r\n B {2}\r\n\r\n C {1+}\r\n\n)\r\n"});
  check_responses({"* LIST () \"/\" {5}\r\na\r\nbc\r\n", "* LIST () \"/\" x\r\n"});
}

TEST_CASE("the line goes on behind a literal that ends in CRLF") {
  CHECK_FALSE(at_boundary("* 1 FETCH (BODY[] {4}\r\nab\r\n"));
  CHECK(at_boundary("* 1 FETCH (BODY[] {4}\r\nab\r\n)\r\n"));
}

TEST_CASE("braces that announce no literal") {
  check_responses({"* LIST () \"/\" \"a{5}\"\r\n", "* 1 FETCH (X {5})\r\n", "* X {5} \r\n", "* X {}\r\n",
                   "* X 5}\r\n", "* X {5\r\n", "* X {a5}\r\n", "* X {5a}\r\n", "* X {+5}\r\n",
                   "* X {5++}\r\n", "* X {00000000000000000005}\r\n"});
  check_responses({"* X {{3}\r\nabc\r\n", "* X {4{3}\r\nabc\r\n", "* X {0000000000000000003}\r\nabc\r\n",
                   "* Xxxxxxxxxxxxxxxx {0000000000000000003+}\r\nabc\r\n"});
}

TEST_CASE("human text may end like a literal") {
  check_responses({"* OK see {5}\r\n", "a1 no {5}\r\n", "* BYE {5}\r\n", "* PREAUTH hi {5}\r\n",
                   "a BaD x {5}\r\n", "* OK [UIDNEXT 5] {5}\r\n", "* OK {5}\r\n", "+ {5}\r\n", "+{5}\r\n",
                   "a OK x\r\n"});
}

TEST_CASE("a response code may hold a literal") {
  check_responses({"a NO [BADCHARSET ({3}\r\n]\r\n {2}\r\nab)] see {5}\r\n", "a OK x\r\n"});
}

TEST_CASE("only status responses have human text") {
  check_responses({"* OKAY {2}\r\n\r\n\r\n", "* STATUS {2}\r\nxx (MESSAGES 1)\r\n", "* PREAUTHX {1}\r\nx\r\n",
                   "* PREAUTHXX {1}\r\nx\r\n", "*  OK {1}\r\nx\r\n", "OK {1}\r\nx\r\n"});
}

TEST_CASE("a huge literal is skipped and not read") {
  ImapBoundary boundary;
  boundary.feed("* 1 FETCH (BODY[] {4294967298}\r\n");
  const std::string chunk(1 << 20, '\n');
  for (int i = 0; i < 4096; ++i) boundary.feed(chunk);
  CHECK_FALSE(boundary.at_boundary());
  boundary.feed("ab)\r");
  CHECK_FALSE(boundary.at_boundary());
  boundary.feed("\n");
  CHECK(boundary.at_boundary());
}

TEST_CASE("a literal without end is never a boundary") {
  ImapBoundary boundary;
  boundary.feed("* X {9999999999999999999}\r\n");
  boundary.feed("a\r\n");
  CHECK_FALSE(boundary.at_boundary());
  CHECK_FALSE(boundary.opaque());
}

TEST_CASE("what is not IMAP text makes it opaque for ever") {
  for (const auto& bytes :
       {"* OK\n"s, "\n"s, "* O\rK\r\n"s, "* OK\r\r\n"s, "* \0\r\n"s, "* O\x01K\r\n"s, "\x16\x03\x01"s,
        "* 0123456789\x1f"
        "0123456789\r\n"s,
        "* 012345\x0b"s}) {
    CAPTURE(bytes);
    CHECK(opaque(bytes));
    CHECK_FALSE(at_boundary(bytes + "\r\n* OK fine\r\n"));
    check_every_split(bytes + "\r\n* OK fine\r\n");
  }
}

TEST_CASE("text in any charset is IMAP text") {
  check_responses({"* OK gr\xc3\xbc\xc3\x9f\x65\r\n",
                   "* 1 FETCH (ENVELOPE (\"\" \"\x1b$B%F%9%H\x1b(B\" NIL))\r\n", "* X\ta\x7f\xff\x80\r\n"});
}

TEST_CASE("a line above the limit makes it opaque") {
  const auto line = [](std::size_t size) { return "* " + std::string(size - 4, 'x') + "\r\n"; };
  CHECK(at_boundary(line(ImapBoundary::kLineMax + 1)));  // the LF is not counted
  CHECK(opaque(line(ImapBoundary::kLineMax + 2)));
  CHECK(at_boundary(line(40000) + line(40000)));
  ImapBoundary boundary;
  for (int i = 0; i < 100000 && !boundary.opaque(); ++i) boundary.feed("x");
  CHECK(boundary.opaque());
}

TEST_CASE("literals do not count for the limit of lines") {
  CHECK(at_boundary("* X {100000}\r\n" + std::string(100000, 'x') + ")\r\n"));
}

TEST_CASE("random streams: a boundary does not depend on how the octets were cut") {
  // Few octets, all of which mean something.
  constexpr std::string_view alphabet = "{}+019 *OKa[]\r\n\r\n\r\n";
  std::uint32_t seed = 1;
  const auto random = [&seed](std::size_t below) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
  };
  for (int round = 0; round < 3000; ++round) {
    std::string bytes;
    for (std::size_t i = random(40); i > 0; --i) {
      const char c = alphabet[random(alphabet.size())];
      bytes += c;
      if (c == '\r' && random(8) != 0) bytes += '\n';
      if (c == '{' && random(2) != 0) bytes += "3}\r\n";
    }
    check_every_split(bytes);
  }
}
