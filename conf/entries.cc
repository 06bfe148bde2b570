#include "conf/entries.h"

#include <algorithm>

namespace postern::conf {

Position position_of(const toml::source_region& region) { return {region.begin.line, region.begin.column}; }

std::vector<Entry> in_file_order(const toml::table& table) {
  std::vector<Entry> entries;
  entries.reserve(table.size());
  for (const auto& [key, node] : table) entries.push_back({&key, &node});
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return position_of(a.key->source()) < position_of(b.key->source());
  });
  return entries;
}

}  // namespace postern::conf
