#include "parsers/line_buffer.h"

#include <doctest/doctest.h>
#include <string>
#include <vector>

using postern::LineBuffer;

namespace {

// What next_line says about a whole input, one entry for each line, and the final state behind them.
std::vector<std::string> lines_of(LineBuffer& buffer, std::size_t limit) {
  std::vector<std::string> seen;
  while (true) {
    const auto result = buffer.next_line(limit);
    if (std::holds_alternative<LineBuffer::NeedMore>(result)) return seen;
    if (std::holds_alternative<LineBuffer::TooLong>(result)) {
      seen.emplace_back("too long");
      return seen;
    }
    const auto& line = std::get<LineBuffer::Line>(result);
    seen.push_back(std::string(line.text) + (line.bare_lf ? "|lf" : "") + (line.stray_cr ? "|cr" : ""));
  }
}

struct Row {
  const char* name;
  std::string input;
  std::size_t limit;
  std::vector<std::string> lines;
};

const std::vector<Row> rows{
    {"nothing", "", 10, {}},
    {"one line", "abc\r\n", 10, {"abc"}},
    {"an empty line", "\r\n", 0, {""}},
    {"an empty line ended by LF", "\n", 0, {"|lf"}},
    {"LF alone", "abc\n", 10, {"abc|lf"}},
    {"many lines in one chunk, each below the limit", "a\r\nbb\r\nccc\r\n", 3, {"a", "bb", "ccc"}},
    {"a CR inside", "a\rb\r\n", 10, {"a\rb|cr"}},
    {"two CRs before the end", "a\r\r\n", 10, {"a\r|cr"}},
    {"a CR inside a line ended by LF", "a\rb\n", 10, {"a\rb|lf|cr"}},
    {"NUL and 8-bit octets", std::string("a\0\xff\r\n", 5), 10, {std::string("a\0\xff", 3)}},
    {"exactly the limit", "abc\r\n", 3, {"abc"}},
    {"exactly the limit, LF alone", "abc\n", 3, {"abc|lf"}},
    {"one byte more than the limit", "abcd\r\n", 3, {"too long"}},
    {"one byte more than the limit, no end", "abcd", 3, {"too long"}},
    {"the limit and a CR may still end", "abc\r", 3, {}},
    {"the limit, a CR and something else", "abc\rd", 3, {"too long"}},
    {"a good line before one that is too long", "ab\r\nabcdef", 3, {"ab", "too long"}},
    {"an unfinished line", "ab\r\ncd", 3, {"ab"}},
};

}  // namespace

TEST_CASE("lines come out the same however the bytes arrive") {
  for (const Row& row : rows) {
    CAPTURE(row.name);
    LineBuffer whole;
    whole.append(row.input);
    CHECK(lines_of(whole, row.limit) == row.lines);

    for (std::size_t cut = 1; cut < row.input.size(); ++cut) {
      CAPTURE(cut);
      LineBuffer buffer;
      buffer.append(std::string_view(row.input).substr(0, cut));
      auto seen = lines_of(buffer, row.limit);
      if (seen.empty() || seen.back() != "too long") {
        buffer.append(std::string_view(row.input).substr(cut));
        for (auto& line : lines_of(buffer, row.limit)) seen.push_back(line);
      }
      CHECK(seen == row.lines);
    }
  }
}

TEST_CASE("a line that is too long is not consumed") {
  LineBuffer buffer;
  buffer.append("abcdef\r\n");
  CHECK(std::holds_alternative<LineBuffer::TooLong>(buffer.next_line(3)));
  CHECK(std::holds_alternative<LineBuffer::TooLong>(buffer.next_line(3)));
  CHECK(buffer.size() == 8);
  CHECK(std::get<LineBuffer::Line>(buffer.next_line(6)).text == "abcdef");
}

TEST_CASE("counted runs are given when they are complete, line ends included") {
  LineBuffer buffer;
  buffer.append("a {5}\r\nxy\r");
  CHECK(std::get<LineBuffer::Line>(buffer.next_line(100)).text == "a {5}");
  CHECK_FALSE(buffer.has(5));
  CHECK(buffer.take(5).empty());
  CHECK(buffer.size() == 3);
  buffer.append("\nz tail\r\nb");
  REQUIRE(buffer.has(5));
  CHECK(buffer.take(5) == "xy\r\nz");
  CHECK(std::get<LineBuffer::Line>(buffer.next_line(100)).text == " tail");
  CHECK(buffer.take(0).empty());
  CHECK(buffer.size() == 1);
  CHECK(buffer.take_rest() == "b");
  CHECK(buffer.empty());
  CHECK(buffer.take_rest() == "");
}

TEST_CASE("an LF that was searched past in vain is found after a counted run") {
  LineBuffer buffer;
  buffer.append("abc");
  CHECK(std::holds_alternative<LineBuffer::NeedMore>(buffer.next_line(100)));
  CHECK(buffer.take(2) == "ab");
  buffer.append("\r\n");
  CHECK(std::get<LineBuffer::Line>(buffer.next_line(100)).text == "c");
}

TEST_CASE("what was consumed is overwritten by the next call") {
  LineBuffer buffer;
  buffer.append("PASS hunter2\r\nSTAT\r\n");
  const auto line = std::get<LineBuffer::Line>(buffer.next_line(100)).text;
  CHECK(line == "PASS hunter2");
  buffer.next_line(100);
  CHECK(line == std::string(12, '\0'));

  buffer.clear();
  buffer.append("hunter2STAT STAT");
  const auto taken = buffer.take(7);
  buffer.append("x");
  CHECK(taken == std::string(7, '\0'));
  CHECK(buffer.take_rest() == "STAT STATx");
}

TEST_CASE("many small lines in one chunk take time in proportion to their bytes") {
  LineBuffer buffer;
  std::string input;
  for (int i = 0; i < 200'000; ++i) input += "a\r\n";
  for (std::size_t at = 0; at < input.size(); at += 16384) {
    buffer.append(std::string_view(input).substr(at, 16384));
  }
  CHECK(lines_of(buffer, 1).size() == 200'000);
  CHECK(buffer.empty());
}

TEST_CASE("a stream that never empties the buffer keeps it small") {
  LineBuffer buffer;
  std::size_t lines = 0;
  buffer.append("half");
  for (int i = 0; i < 10'000; ++i) {
    buffer.append(" a line\r\nhalf");
    lines += lines_of(buffer, 100).size();
    REQUIRE(buffer.size() == 4);
  }
  CHECK(lines == 10'000);
}
