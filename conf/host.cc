#include "conf/host.h"

#include <algorithm>

#include "parsers/address.h"

namespace postern::conf {
namespace {

constexpr std::size_t kLongestName = 253;
constexpr std::size_t kLongestLabel = 63;

bool is_digit(char octet) { return octet >= '0' && octet <= '9'; }
bool is_label(char octet) {
  return is_digit(octet) || (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
         octet == '-' || octet == '_';
}

bool is_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > kLongestName) return false;
  while (true) {
    const std::string_view label = text.substr(0, text.find('.'));
    if (label.empty() || label.size() > kLongestLabel || label.starts_with('-') || label.ends_with('-'))
      return false;
    if (!std::all_of(label.begin(), label.end(), is_label)) return false;
    if (label.size() == text.size()) return true;
    text.remove_prefix(label.size() + 1);
  }
}

}  // namespace

std::optional<std::string> problem_of_host(std::string_view text) {
  if (Address::parse(text)) return std::nullopt;
  const std::size_t colon = text.rfind(':');
  const bool has_port = Endpoint::parse(text).has_value() ||
                        (colon != std::string_view::npos && is_name(text.substr(0, colon)));
  if (has_port) return "a port is not written here";
  const bool numeric =
      std::all_of(text.begin(), text.end(), [](char octet) { return is_digit(octet) || octet == '.'; });
  if (numeric) return "it looks like an IPv4 address and is none";
  if (text.find(':') != std::string_view::npos) return "it looks like an IPv6 address and is none";
  if (!is_name(text))
    return "a name has letters, digits, \"-\", \"_\" and \".\", at most 63 in a row and 253 in all";
  return std::nullopt;
}

}  // namespace postern::conf
