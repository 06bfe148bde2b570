#pragma once

#include <chrono>
#include <cstdint>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <string_view>

#include "proxy/observe/log.h"

namespace postern::observe {

using LineBuffer = fmt::basic_memory_buffer<char, 1024>;  // most lines need no allocation

// One line of the log under construction: ts, level and msg first, then fields in the order of the calls.
// Names are trusted; values are not: whatever bytes they hold, the line stays one line, its fields can be
// told apart, and a terminal that shows it is not controlled by it. A field without a value is left out.
//
// In both formats a quoted value is a JSON string: \" \\ \n \r \t \u001b. Control characters (C0, DEL, C1)
// and the marks that turn or break lines (U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069) are written as
// \uXXXX, a byte that is not UTF-8 as the four characters \xNN (thus "\\xNN" in quotes). In logfmt a value
// stands bare when it is printable ASCII without space, quote, backslash and '='.
class LogLine {
 public:
  using Clock = std::chrono::system_clock;

  LogLine(Format format, Level level, Clock::time_point now, std::string_view msg);

  static constexpr std::size_t kWhole = std::numeric_limits<std::size_t>::max();
  // Longer values are cut at a character's end and marked: "abc...[300 bytes]".
  void text(std::string_view name, std::string_view value, std::size_t limit = kWhole);
  void number(std::string_view name, std::uint64_t value);
  void value(std::string_view name, const EventValue& value);
  void flag(std::string_view name, bool value);
  void milliseconds(std::string_view name, std::optional<Time::duration> value);  // 1.234

  // The line without a newline; a view of this object.
  std::string_view finish();

 private:
  void begin(std::string_view name);
  void append(std::string_view text) { buffer_.append(text.data(), text.data() + text.size()); }

  Format format_;
  LineBuffer buffer_;
};

std::string_view name_of(Level level);

}  // namespace postern::observe
