#include "proxy/route/map.h"

#include <algorithm>

namespace postern::route {

namespace {

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
}

}  // namespace

std::optional<Place> Place::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view pool = text.substr(0, slash);
  if (!is_name(pool)) return std::nullopt;
  if (slash == std::string_view::npos) return Place{std::string(pool), {}};
  const std::string_view backend = text.substr(slash + 1);
  if (!is_name(backend)) return std::nullopt;
  return Place{std::string(pool), std::string(backend)};
}

}  // namespace postern::route
