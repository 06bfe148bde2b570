#include "proxy/observe/log_line.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <string>

using namespace postern;
using namespace postern::observe;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

constexpr LogLine::Clock::time_point kNow{1'767'225'599'042ms};  // 2025-12-31T23:59:59.042Z

std::string logfmt(std::string_view value, std::size_t limit = LogLine::kWhole) {
  LogLine line(Format::Logfmt, Level::Info, kNow, "m");
  line.text("v", value, limit);
  const std::string whole(line.finish());
  const std::string before = "ts=2025-12-31T23:59:59.042Z level=info msg=m v=";
  REQUIRE(whole.starts_with(before));
  return whole.substr(before.size());
}

std::string json(std::string_view value, std::size_t limit = LogLine::kWhole) {
  LogLine line(Format::Json, Level::Info, kNow, "m");
  line.text("v", value, limit);
  return std::string(line.finish());
}

}  // namespace

TEST_CASE("a value is quoted and escaped so that the line stays one line and shows what came") {
  struct Row {
    std::string value;
    std::string logfmt;
  };
  const Row rows[] = {
      {"alice", "alice"},
      {"alice@example.org", "alice@example.org"},
      {"[::1]:993", "[::1]:993"},
      {"two words", R"("two words")"},
      {"a=b", R"("a=b")"},
      {"say \"hi\"", R"("say \"hi\"")"},
      {R"(DOMAIN\user)", R"("DOMAIN\\user")"},
      {"a\nb\rc\td", R"("a\nb\rc\td")"},
      {"\x1b[2J", R"("\u001b[2J")"},
      {"nul\0nul"s, R"("nul\u0000nul")"},
      {"\x7f", R"("\u007f")"},
      {"\xc2\x9b"
       "31m",
       R"("\u009b31m")"},  // C1's CSI
      {"a\xe2\x80\xae"
       "b",
       R"("a\u202eb")"},                // turns the reading direction
      {"\xe2\x80\xa8", R"("\u2028")"},  // line separator
      {"\xe2\x81\xa6", R"("\u2066")"},
      {"m\xc3\xbcller", "\"m\xc3\xbcller\""},  // stays readable
      {"\xf0\x9f\x93\xac", "\"\xf0\x9f\x93\xac\""},
      {"a\xff"
       "b",
       R"("a\\xffb")"},        // no UTF-8
      {"\xc3", R"("\\xc3")"},  // ends too early
      {"\xc3(", R"("\\xc3(")"},
      {"\xc0\xaf", R"("\\xc0\\xaf")"},  // overlong '/'
      {"\xe0\x80\xaf", R"("\\xe0\\x80\\xaf")"},
      {"\xed\xa0\x80", R"("\\xed\\xa0\\x80")"},           // a surrogate
      {"\xf4\x90\x80\x80", R"("\\xf4\\x90\\x80\\x80")"},  // above U+10FFFF
      {"\x80", R"("\\x80")"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.value);
    CHECK(logfmt(row.value) == row.logfmt);
  }
}

TEST_CASE("every byte, alone and between others, gives valid JSON in one printable line") {
  for (int first = 0; first < 256; ++first) {
    for (const int second : {0x00, 0x0a, 0x20, 0x41, 0x80, 0x9b, 0xbf, 0xc3, 0xe2, 0xf0, 0xff}) {
      const std::string value{'a', static_cast<char>(first), static_cast<char>(second), 'z'};
      const std::string line = json(value);
      const auto parsed = nlohmann::json::parse(line, nullptr, false);
      REQUIRE_FALSE(parsed.is_discarded());
      const std::string shown = parsed["v"];
      CHECK(shown.front() == 'a');
      CHECK(shown.back() == 'z');
      CHECK(std::ranges::all_of(line + logfmt(value), [](char c) { return (c & 0xe0) != 0 && c != 0x7f; }));
    }
  }
}

TEST_CASE("JSON gives back every value that is UTF-8") {
  for (const std::string& value :
       {"plain"s, "q\"uote"s, "back\\slash"s, "a\nb"s, "m\xc3\xbcller"s, "\x1b["s, "\xe2\x80\xae"s, "\0"s})
    CHECK(nlohmann::json::parse(json(value))["v"] == value);
}

TEST_CASE("a value over its limit is cut at a character's end and says how long it was") {
  CHECK(logfmt("abcdef", 6) == "abcdef");
  CHECK(logfmt("abcdef", 5) == R"("abcde...[6 bytes]")");
  CHECK(logfmt("abcd\xc3\xbc", 5) == R"("abcd...[6 bytes]")");
  CHECK(logfmt("ab\xf0\x9f\x93\xacz", 5) == R"("ab...[7 bytes]")");
  CHECK(logfmt("\x80\x80\x80\x80\x80\x80\x80", 5) == R"("\\x80\\x80\\x80\\x80\\x80...[7 bytes]")");
  CHECK(nlohmann::json::parse(json(std::string(70000, 'x'), 255))["v"] ==
        std::string(255, 'x') + "...[70000 bytes]");
}

TEST_CASE("fields without a value are left out") {
  for (const Format format : {Format::Logfmt, Format::Json}) {
    LogLine line(format, Level::Warn, kNow, "m");
    line.text("empty", "");
    line.milliseconds("never", std::nullopt);
    const std::string text(line.finish());
    CHECK(text.find("empty") == std::string::npos);
    CHECK(text.find("never") == std::string::npos);
  }
}

TEST_CASE("every kind of value is written in both formats") {
  const auto fill = [](LogLine& line) {
    line.value("text", "a b");
    line.value("string", "s"s);
    line.value("negative", -5);
    line.value("unsigned", 7U);
    line.value("large", ~std::uint64_t{0});
    line.value("fraction", 0.25);
    line.value("yes", true);
    line.milliseconds("brief_ms", 1'234'567ns);
    line.milliseconds("zero_ms", 0ns);
    line.milliseconds("long_ms", 90'000s);
  };
  LogLine line(Format::Logfmt, Level::Error, kNow, "m");
  fill(line);
  CHECK(
      line.finish() ==
      "ts=2025-12-31T23:59:59.042Z level=error msg=m text=\"a b\" string=s negative=-5 unsigned=7 "
      "large=18446744073709551615 fraction=0.25 yes=true brief_ms=1.234 zero_ms=0.000 long_ms=90000000.000");
  LogLine object(Format::Json, Level::Debug, kNow, "m");
  fill(object);
  const std::string text(object.finish());
  CHECK(text == R"({"ts":"2025-12-31T23:59:59.042Z","level":"debug","msg":"m","text":"a b","string":"s",)"
                R"("negative":-5,"unsigned":7,"large":18446744073709551615,"fraction":0.25,"yes":true,)"
                R"("brief_ms":1.234,"zero_ms":0.000,"long_ms":90000000.000})");
  CHECK(nlohmann::json::accept(text));
}
