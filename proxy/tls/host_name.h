#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace postern::tls {

// Letters, digits, '-', '_' and '.', and '*' for the names of certificates: nothing that a log line or a
// protocol's line would have to quote.
constexpr bool is_host_name(std::string_view name) {
  constexpr auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '*';
  };
  return !name.empty() && name.size() <= 255 && std::ranges::all_of(name, allowed);
}

inline std::string lower(std::string_view name) {
  std::string result(name);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

}  // namespace postern::tls
