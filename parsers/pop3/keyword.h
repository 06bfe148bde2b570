#pragma once

#include <algorithm>
#include <string_view>

namespace postern::pop3 {

constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// Keywords are ASCII and have no case (RFC 1939 §3).
constexpr bool same_keyword(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, upper, upper);
}

// A line cut at its first space.
struct Words {
  std::string_view keyword;
  std::string_view argument;  // all behind that space, further spaces included
};

constexpr Words split_keyword(std::string_view line) {
  const auto space = line.find(' ');
  if (space == line.npos) return {line, {}};
  return {line.substr(0, space), line.substr(space + 1)};
}

}  // namespace postern::pop3
