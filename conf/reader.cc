#include "conf/reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "conf/entries.h"
#include "conf/suggest.h"
#include "conf/wording.h"

namespace postern::conf {
namespace {

constexpr std::size_t kLongestName = 64;

std::string below(std::string_view pattern, std::string_view name) {
  return pattern.empty() ? std::string(name) : std::string(pattern) + "." + std::string(name);
}

bool is_table(const toml::node& node) {
  return node.is_table() || (node.is_array() && node.as_array()->is_array_of_tables());
}

bool is_list(std::string_view pattern) { return pattern.ends_with("[]"); }

// "[listen.imaps]", "[[route]]"
std::string header(std::string_view pattern, std::string_view path) {
  const std::string inner = "[" + without_indexes(path) + "]";
  return is_list(pattern) ? "[" + inner + "]" : inner;
}

// Where an operator would write a table of this pattern: "[pool.NAME.time]".
std::string example(std::string_view pattern) {
  std::string name;
  for (const char octet : pattern) {
    if (octet == '*') {
      name += "NAME";
    } else if (octet != '[' && octet != ']') {
      name += octet;
    }
  }
  return is_list(pattern) ? "[[" + name + "]]" : "[" + name + "]";
}

// The keys and tables that may stand in a table.
std::vector<std::string> names_in(std::string_view pattern) {
  std::vector<std::string> names;
  for (const Row& row : rows()) {
    if (row.table == pattern) names.emplace_back(row.key);
  }
  for (const Section& section : sections()) {
    std::string_view rest = section.path;
    if (!pattern.empty()) {
      if (!rest.starts_with(pattern) || rest.size() == pattern.size()) continue;
      rest.remove_prefix(pattern.size());
      if (!rest.starts_with('.')) continue;
      rest.remove_prefix(1);
    }
    const std::string name(rest.substr(0, rest.find_first_of(".[")));
    if (name != "*" && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

// The one other table that knows this key.
std::string belongs_in(std::string_view key) {
  const Row* only = nullptr;
  for (const Row& row : rows()) {
    if (row.key != key) continue;
    if (only != nullptr) return "";
    only = &row;
  }
  return only == nullptr ? "" : "; it belongs in " + example(only->table);
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName &&
         std::all_of(name.begin(), name.end(), [](char octet) {
           return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
                  (octet >= '0' && octet <= '9') || octet == '-' || octet == '_' || octet == '.';
         });
}

}  // namespace

void Reader::read(const toml::table& root) { table(root, {"", ""}); }

void Reader::table(const toml::table& table, const Place& place) {
  for (const Entry& found : in_file_order(table)) entry(*found.key, *found.node, place);
  require(table, place);
}

void Reader::entry(const toml::key& key, const toml::node& node, const Place& place) {
  const std::string path = join(place.path, key.str());
  const std::string pattern = below(place.pattern, key.str());
  source_.mark(path, position_of(key.source()), position_of(node.source()));
  if (const Row* row = find_row(place.pattern, key.str())) {
    if (const std::optional<Value> value = values_.read(*row, path, node)) row->set(config_, *value);
  } else if (const Section* named = find_section(pattern + ".*")) {
    named_tables(node, *named, path);
  } else if (const Section* list = find_section(pattern + "[]")) {
    list_of_tables(node, *list, path);
  } else if (const Section* plain = find_section(pattern)) {
    plain_table(node, *plain, path);
  } else {
    unknown(key, node, place);
  }
}

void Reader::plain_table(const toml::node& node, const Section& section, const std::string& path) {
  if (section.open != nullptr) section.open(config_, "");
  if (const toml::table* inner = node.as_table()) {
    table(*inner, {std::string(section.path), path});
  } else {
    problems_.at_value(path, without_indexes(path) + " must be a table, not " + describe(node));
  }
}

void Reader::named_tables(const toml::node& node, const Section& section, const std::string& path) {
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    problems_.at_value(path, without_indexes(path) + " must be tables with names, such as " +
                                 example(section.path) + ", not " + describe(node));
    return;
  }
  for (const Entry& found : in_file_order(*table)) {
    const std::string inner = join(path, found.key->str());
    source_.mark(inner, position_of(found.key->source()), position_of(found.node->source()));
    if (!is_name(found.key->str())) {
      problems_.at_key(inner, "the name " + quoted(found.key->str()) + " in " + header("", path) +
                                  " must have 1 to 64 letters, digits, \"-\", \"_\" or \".\"");
    }
    one_of(*found.node, section, inner, found.key->str());
  }
}

void Reader::list_of_tables(const toml::node& node, const Section& section, const std::string& path) {
  const toml::array* array = node.as_array();
  if (array == nullptr) {
    problems_.at_value(path, without_indexes(path) + " must be a list of tables, such as " +
                                 example(section.path) + ", not " + describe(node));
    return;
  }
  for (std::size_t i = 0; i < array->size(); ++i) {
    const toml::node& item = (*array)[i];
    const std::string inner = element(path, i);
    source_.mark(inner, position_of(item.source()), position_of(item.source()));
    one_of(item, section, inner, "");
  }
}

void Reader::one_of(const toml::node& node, const Section& section, const std::string& path,
                    std::string_view name) {
  section.open(config_, name);
  if (const toml::table* inner = node.as_table()) {
    table(*inner, {std::string(section.path), path});
    return;
  }
  const Row* row = section.shorthand.empty() ? nullptr : find_row(section.path, section.shorthand);
  if (row != nullptr && node.is_string()) {
    if (const std::optional<Value> value = values_.read(*row, path, node)) row->set(config_, *value);
    return;
  }
  std::string message = (is_list(section.path) ? "each of " : "") + without_indexes(path);
  message +=
      std::string(" must be a table") + (row == nullptr ? "" : " or a string") + ", not " + describe(node);
  if (find_row(section.path, name) != nullptr) message += "; as a key it belongs in " + example(section.path);
  problems_.at_value(path, std::move(message));
}

void Reader::unknown(const toml::key& key, const toml::node& node, const Place& place) {
  const std::vector<std::string> candidates = names_in(place.pattern);
  const std::optional<std::string> meant = nearest(key.str(), candidates);
  std::string message = std::string("unknown ") + (is_table(node) ? "table " : "key ") + quoted(key.str());
  if (!place.pattern.empty()) {
    message += " in " + header(place.pattern, place.path);
  } else if (!is_table(node)) {
    message += " outside of every table";
  }
  message += meant ? did_you_mean(key.str(), candidates) : belongs_in(key.str());
  problems_.at_key(join(place.path, key.str()), std::move(message));
  if (meant) problems_.distrust(join(place.path, *meant));
}

void Reader::require(const toml::table& table, const Place& place) {
  for (const Row& row : rows()) {
    if (row.table != place.pattern || row.fallback != kRequired || table.contains(row.key)) continue;
    const std::string path = join(place.path, row.key);
    if (!problems_.sound(path)) continue;
    problems_.at_key(path, "missing key " + quoted(row.key) + " in " + header(place.pattern, place.path));
  }
}

}  // namespace postern::conf
