#include "conf/wording.h"

#include <algorithm>
#include <re2/re2.h>
#include <sstream>

namespace postern::conf {
namespace {

constexpr std::size_t kLongest = 60;

bool is_control(char octet) { return static_cast<unsigned char>(octet) < 0x20 || octet == 0x7f; }

// `level = info`, `idle = 31m`, `s1 = 10.1.0.11`, `verify = TRUE`
std::string hint_at_bare_word(const std::string& line) {
  static const re2::RE2 kFlag(R"((?i)=\s*(true|false)\s*(#.*)?$)");
  static const re2::RE2 kWord(R"(=\s*([\w./:-]*([A-Za-z]|\.\d+\.)[\w./:-]*)\s*(#.*)?$)");
  if (re2::RE2::PartialMatch(line, kFlag)) return "; true and false are written in small letters";
  std::string word;
  if (re2::RE2::PartialMatch(line, kWord, &word)) return "; a string is written \"" + word + "\"";
  return "";
}

void append_escaped(std::string& result, char octet) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(octet);
  if (octet == '\n') {
    result += "\\n";
  } else if (octet == '\t') {
    result += "\\t";
  } else if (octet == '\r') {
    result += "\\r";
  } else if (is_control(octet)) {
    result += {'\\', 'x', kHex[value >> 4], kHex[value & 15]};
  } else {
    result += octet;
  }
}

std::size_t cut_before_character(std::string_view text, std::size_t at) {
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) --at;
  return at;
}

template <typename Text>
std::string join_words(std::span<const Text> words) {
  std::string result;
  for (const Text& word : words) {
    if (!result.empty()) result += ", ";
    result += word;
  }
  return result;
}

}  // namespace

std::string quoted(std::string_view text) {
  const bool cut = text.size() > kLongest;
  if (cut) text = text.substr(0, cut_before_character(text, kLongest));
  std::string result = "\"";
  for (const char octet : text) append_escaped(result, octet);
  return result + (cut ? "...\"" : "\"");
}

std::string describe(const toml::node& node) {
  if (const auto* text = node.as_string()) return "the string " + quoted(text->get());
  if (const auto* number = node.as_integer()) return "the integer " + std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) {
    std::ostringstream text;
    text << "the number " << number->get();
    return text.str();
  }
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (node.is_table()) return "a table";
  if (node.is_array()) return "a list";
  return "a date or time";
}

std::string list(std::span<const std::string_view> words) { return join_words(words); }
std::string list(std::span<const std::string> words) { return join_words(words); }

std::string syntax_error(std::string_view description, const std::string& line) {
  std::string message(description);
  if (message.starts_with("Error")) message.front() = 'e';
  std::replace_if(message.begin(), message.end(), is_control, ' ');
  while (message.ends_with(' ')) message.pop_back();

  const bool odd_quotes = std::count(line.begin(), line.end(), '"') % 2 == 1;
  if (odd_quotes && message.find("unescaped control") != std::string::npos) {
    return "error while parsing string: it has no closing quote in its line";
  }
  return message + hint_at_bare_word(line);
}

std::string without_indexes(std::string_view path) {
  std::string result;
  bool in_quotes = false;
  bool in_index = false;
  for (const char octet : path) {
    if (octet == '"') in_quotes = !in_quotes;
    if (octet == '[' && !in_quotes) in_index = true;
    if (!in_index) result += octet;
    if (octet == ']' && !in_quotes) in_index = false;
  }
  return result;
}

std::string element(std::string_view path, std::size_t index) {
  return std::string(path) + "[" + std::to_string(index) + "]";
}

}  // namespace postern::conf
