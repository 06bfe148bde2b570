#pragma once

#include <toml++/toml.h>
#include <vector>

#include "conf/position.h"

namespace postern::conf {

struct Entry {
  const toml::key* key;
  const toml::node* node;
};

Position position_of(const toml::source_region& region);

// What stands in a table, as views of it.
std::vector<Entry> in_file_order(const toml::table& table);

}  // namespace postern::conf
