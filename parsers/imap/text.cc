#include "parsers/imap/text.h"

#include <algorithm>
#include <limits>

namespace postern {
namespace {

bool is_astring_char(char c) {
  return c > ' ' && c < '\x7f' && std::string_view("(){%*\"\\").find(c) == std::string_view::npos;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_control(char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

bool is_atom(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return is_astring_char(c) && c != ']'; });
}

bool is_imap_tag(std::string_view text) {
  return !text.empty() && text.size() <= kImapTagMax &&
         std::ranges::all_of(text, [](char c) { return is_astring_char(c) && c != '+'; });
}

std::size_t astring_prefix(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, is_astring_char) - text.begin());
}

std::string to_upper(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), upper);
  return result;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return upper(x) == upper(y); });
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

std::string_view take_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const std::string_view word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  return word;
}

std::string without_controls(std::string_view text) {
  std::string result(text);
  std::erase_if(result, is_control);
  return result;
}

bool fits_quoted(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0 && c != '\r' && c != '\n'; });
}

std::size_t quoted_size(std::string_view text) {
  const auto escaped = std::ranges::count_if(text, [](char c) { return c == '"' || c == '\\'; });
  return text.size() + static_cast<std::size_t>(escaped) + std::string_view("\"\"").size();
}

std::optional<LiteralMark> literal_mark_at_end(std::string_view line) {
  if (!line.ends_with('}')) return std::nullopt;
  const std::size_t start = line.rfind('{');
  if (start == std::string_view::npos) return std::nullopt;
  std::string_view number = line.substr(start + 1, line.size() - start - 2);
  LiteralMark mark{.start = start};
  if (number.ends_with('+')) {
    mark.synchronising = false;
    number.remove_suffix(1);
  }
  if (number.empty()) return std::nullopt;
  constexpr std::uint64_t kGreatest = std::numeric_limits<std::uint64_t>::max();
  for (const char c : number) {
    if (!is_digit(c)) return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    mark.size = mark.size > (kGreatest - digit) / 10 ? kGreatest : mark.size * 10 + digit;
  }
  return mark;
}

}  // namespace postern
