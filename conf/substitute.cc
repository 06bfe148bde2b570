#include "conf/substitute.h"

#include <algorithm>

namespace postern::conf {
namespace {

bool is_letter(char octet) {
  return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') || octet == '_';
}
bool is_digit(char octet) { return octet >= '0' && octet <= '9'; }

bool is_name(std::string_view text) {
  return !text.empty() && is_letter(text.front()) && std::all_of(text.begin(), text.end(), [](char octet) {
    return is_letter(octet) || is_digit(octet);
  });
}

// `inner` is what stands between the braces.
std::expected<std::string, std::string> value_of(std::string_view inner, const Variables& variables) {
  const std::size_t separator = inner.find(":-");
  const std::string name(inner.substr(0, separator));
  if (!is_name(name)) {
    return std::unexpected("\"${" + std::string(inner) +
                           "}\" does not name an environment variable; a plain \"${\" is written \"$${\"");
  }
  std::optional<std::string> value = variables ? variables(name) : std::nullopt;
  if (separator != std::string_view::npos) {
    if (!value || value->empty()) return std::string(inner.substr(separator + 2));
    return *std::move(value);
  }
  if (value) return *std::move(value);
  return std::unexpected("the environment variable " + name + " is not set; set it, or write \"${" + name +
                         ":-default}\"");
}

}  // namespace

std::expected<std::string, std::string> substitute(std::string_view text, const Variables& variables) {
  std::string result;
  while (!text.empty()) {
    const std::size_t dollar = std::min(text.find('$'), text.size());
    result.append(text.substr(0, dollar));
    text.remove_prefix(dollar);
    if (text.starts_with("$$")) {
      result += '$';
      text.remove_prefix(2);
    } else if (text.starts_with("${")) {
      const std::size_t end = text.find('}');
      if (end == std::string_view::npos) {
        return std::unexpected("\"${\" has no closing \"}\"; a plain \"${\" is written \"$${\"");
      }
      std::expected<std::string, std::string> value = value_of(text.substr(2, end - 2), variables);
      if (!value) return value;
      result += *value;
      text.remove_prefix(end + 1);
    } else if (!text.empty()) {
      result += '$';
      text.remove_prefix(1);
    }
  }
  return result;
}

bool has_variable(std::string_view text) {
  for (std::size_t at = text.find('$'); at != std::string_view::npos; at = text.find('$', at)) {
    if (text.substr(at).starts_with("${")) return true;
    at += text.substr(at).starts_with("$$") ? 2 : 1;
  }
  return false;
}

}  // namespace postern::conf
