#include "proxy/observe/log_line.h"

#include <algorithm>
#include <fmt/compile.h>
#include <iterator>
#include <variant>

namespace postern::observe {

namespace {

struct Character {
  char32_t code;
  std::size_t size;  // bytes; 0: the first byte does not begin a character
};

constexpr bool is_tail(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// RFC 3629 §4: no overlong forms, no surrogates, nothing above U+10FFFF.
Character first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return {0, 0};
  char32_t code = lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if (!is_tail(text[i])) return {0, 0};
    code = (code << 6) | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < kLeast[size] || surrogate || code > 0x10FFFF) return {0, 0};
  return {code, size};
}

bool controls_the_display(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x200E || code == 0x200F ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

constexpr bool stands_bare(char c) { return c > ' ' && c < 0x7F && c != '"' && c != '\\' && c != '='; }
constexpr bool needs_no_escape(char c) { return c >= ' ' && c < 0x7F && c != '"' && c != '\\'; }

void append_escaped(LineBuffer& out, std::string_view text) {
  while (!text.empty()) {
    const auto plain =
        static_cast<std::size_t>(std::ranges::find_if_not(text, needs_no_escape) - text.begin());
    out.append(text.data(), text.data() + plain);
    text.remove_prefix(plain);
    if (text.empty()) return;

    const auto [code, size] = first_character(text);
    auto end = std::back_inserter(out);
    if (size == 0) {
      fmt::format_to(end, "\\\\x{:02x}", static_cast<unsigned char>(text[0]));
    } else if (code == '"' || code == '\\') {
      fmt::format_to(end, "\\{}", text[0]);
    } else if (code == '\n') {
      fmt::format_to(end, "\\n");
    } else if (code == '\r') {
      fmt::format_to(end, "\\r");
    } else if (code == '\t') {
      fmt::format_to(end, "\\t");
    } else if (controls_the_display(code)) {
      fmt::format_to(end, "\\u{:04x}", static_cast<std::uint32_t>(code));
    } else {
      out.append(text.data(), text.data() + size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
}

std::string_view cut(std::string_view text, std::size_t limit) {
  std::size_t end = limit;
  while (end > 0 && limit - end < 4 && is_tail(text[end])) --end;
  return text.substr(0, is_tail(text[end]) ? limit : end);
}

void append_timestamp(LineBuffer& out, LogLine::Clock::time_point now) {
  using namespace std::chrono;
  const auto day = floor<days>(now);
  const year_month_day date{day};
  const auto of_day = floor<std::chrono::milliseconds>(now - day).count();
  fmt::format_to(std::back_inserter(out), FMT_COMPILE("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z"),
                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                 static_cast<unsigned>(date.day()), of_day / 3'600'000, of_day / 60'000 % 60,
                 of_day / 1000 % 60, of_day % 1000);
}

}  // namespace

LogLine::LogLine(Format format, Level level, Clock::time_point now, std::string_view msg) : format_(format) {
  append(format_ == Format::Json ? R"({"ts":")" : "ts=");
  append_timestamp(buffer_, now);
  if (format_ == Format::Json) append("\"");
  text("level", name_of(level));
  text("msg", msg);
}

void LogLine::begin(std::string_view name) {
  if (format_ == Format::Json) {
    append(",\"");
    append(name);
    append("\":");
  } else {
    append(" ");
    append(name);
    append("=");
  }
}

void LogLine::text(std::string_view name, std::string_view value, std::size_t limit) {
  if (value.empty()) return;
  begin(name);
  const bool whole = value.size() <= limit;
  const std::string_view shown = whole ? value : cut(value, limit);
  if (whole && format_ == Format::Logfmt && std::ranges::all_of(value, stands_bare)) return append(value);
  append("\"");
  append_escaped(buffer_, shown);
  if (!whole) fmt::format_to(std::back_inserter(buffer_), "...[{} bytes]", value.size());
  append("\"");
}

void LogLine::number(std::string_view name, std::uint64_t value) {
  begin(name);
  const fmt::format_int digits(value);
  append({digits.data(), digits.size()});
}

void LogLine::flag(std::string_view name, bool value) {
  begin(name);
  append(value ? "true" : "false");
}

void LogLine::value(std::string_view name, const EventValue& value) {
  struct Writer {
    LogLine& line;
    std::string_view name;
    void operator()(std::string_view text) const { line.text(name, text); }
    void operator()(std::uint64_t number) const { line.number(name, number); }
    void operator()(bool yes) const { line.flag(name, yes); }
    void operator()(std::int64_t number) const {
      line.begin(name);
      fmt::format_to(std::back_inserter(line.buffer_), "{}", number);
    }
    void operator()(double number) const {
      line.begin(name);
      fmt::format_to(std::back_inserter(line.buffer_), "{:.6g}", number);
    }
  };
  std::visit(Writer{*this, name}, value.get());
}

void LogLine::milliseconds(std::string_view name, std::optional<Time::duration> value) {
  if (!value) return;
  begin(name);
  const auto microseconds = std::chrono::floor<std::chrono::microseconds>(*value).count();
  const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(microseconds, 0));
  fmt::format_to(std::back_inserter(buffer_), FMT_COMPILE("{}.{:03}"), count / 1000, count % 1000);
}

std::string_view LogLine::finish() {
  if (format_ == Format::Json) append("}");
  return {buffer_.data(), buffer_.size()};
}

std::string_view name_of(Level level) {
  switch (level) {
    case Level::Debug:
      return "debug";
    case Level::Info:
      return "info";
    case Level::Warn:
      return "warn";
    case Level::Error:
      return "error";
  }
  return "";
}

}  // namespace postern::observe
