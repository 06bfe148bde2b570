#include "conf/quantity.h"

#include <doctest/doctest.h>

namespace postern::conf {
namespace {

using namespace std::chrono_literals;

TEST_CASE("durations are a whole number and a unit") {
  CHECK(parse_duration("0s") == 0ms);
  CHECK(parse_duration("250ms") == 250ms);
  CHECK(parse_duration("30s") == 30s);
  CHECK(parse_duration("5m") == 5min);
  CHECK(parse_duration("1h") == 1h);
  CHECK(parse_duration("007s") == 7s);
  CHECK(parse_duration("9223372036854775807ms") == std::chrono::milliseconds(9223372036854775807));
}

TEST_CASE("what is no duration, or does not fit, is none") {
  for (const std::string text : {"",
                                 "0",
                                 "30",
                                 "s",
                                 "-1s",
                                 "+1s",
                                 "1.5s",
                                 "1 s",
                                 " 1s",
                                 "1s ",
                                 "1S",
                                 "1min",
                                 "1d",
                                 "1h30m",
                                 "0x10s",
                                 "1e3s",
                                 "9223372036854775808ms",
                                 "9223372036854776s",
                                 "2562047788016h",
                                 "99999999999999999999h",
                                 "\xd9\xa1s"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("sizes are bytes, or a whole number and a binary unit") {
  CHECK(parse_size("0") == 0);
  CHECK(parse_size("4096") == 4096);
  CHECK(parse_size("1B") == 1);
  CHECK(parse_size("64KiB") == 65536);
  CHECK(parse_size("10MiB") == 10485760);
  CHECK(parse_size("8GiB") == 8589934592);
}

TEST_CASE("what is no size, or does not fit, is none") {
  for (const std::string text : {"", "KiB", "64KB", "64kib", "64k", "64K", "-1", "+1", "1.5KiB", "1 KiB",
                                 "0x10", "9223372036854775808", "9007199254740992KiB", "8589934592GiB"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text));
  }
}

TEST_CASE("numbers are digits alone and fit in 63 bits") {
  CHECK(parse_number("0") == 0);
  CHECK(parse_number("9223372036854775807") == 9223372036854775807);
  for (const std::string text : {"", "-0", "+1", "1s", "1 ", " 1", "0x1", "1_000", "9223372036854775808"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_number(text));
  }
}

TEST_CASE("durations and sizes are printed with the largest unit that divides them") {
  CHECK(print_duration(0ms) == "0s");
  CHECK(print_duration(1500ms) == "1500ms");
  CHECK(print_duration(90s) == "90s");
  CHECK(print_duration(60s) == "1m");
  CHECK(print_duration(168h) == "168h");
  CHECK(print_size(0) == "0B");
  CHECK(print_size(1000) == "1000B");
  CHECK(print_size(40960) == "40KiB");
  CHECK(print_size(1048576) == "1MiB");
}

TEST_CASE("what is printed can be read again") {
  for (const std::int64_t number :
       {1, 999, 1000, 60'000, 3'600'000, 86'400'000, 1024, 1'048'576, 1'073'741'824}) {
    CHECK(parse_duration(print_duration(std::chrono::milliseconds(number))) ==
          std::chrono::milliseconds(number));
    CHECK(parse_size(print_size(static_cast<std::uint64_t>(number))) == number);
  }
}

}  // namespace
}  // namespace postern::conf
