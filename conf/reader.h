#pragma once

#include <string>
#include <string_view>
#include <toml++/toml.h>
#include <vector>

#include "conf/model.h"
#include "conf/problems.h"
#include "conf/schema.h"
#include "conf/source.h"
#include "conf/substitute.h"
#include "conf/value_reader.h"

namespace postern::conf {

// Walks a parsed file along the schema: fills the model, marks every place, and reports unknown keys, missing
// keys and bad values. Elements of the model are in the file's order.
class Reader {
 public:
  Reader(const Variables& variables, Config& config, Source& source, Problems& problems)
      : config_(config), source_(source), problems_(problems), values_(variables, source, problems) {}

  void read(const toml::table& root);

 private:
  // A table that is being read: `pattern` is its Section's path, `path` names it in the file.
  struct Place {
    std::string pattern;
    std::string path;
  };

  void table(const toml::table& table, const Place& place);
  void entry(const toml::key& key, const toml::node& node, const Place& place);
  void plain_table(const toml::node& node, const Section& section, const std::string& path);
  void named_tables(const toml::node& node, const Section& section, const std::string& path);
  void list_of_tables(const toml::node& node, const Section& section, const std::string& path);
  void one_of(const toml::node& node, const Section& section, const std::string& path, std::string_view name);
  void unknown(const toml::key& key, const toml::node& node, const Place& place);
  void require(const toml::table& table, const Place& place);

  Config& config_;
  Source& source_;
  Problems& problems_;
  ValueReader values_;
};

}  // namespace postern::conf
