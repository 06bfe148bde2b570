#include <algorithm>
#include <doctest/doctest.h>
#include <fstream>
#include <re2/re2.h>
#include <sstream>
#include <toml++/toml.h>

#include "conf/schema.h"
#include "tests/unit/conf/base.h"

// conf/postern.toml, the schema and the model say the same.

namespace postern::conf {
namespace {

std::string read(const std::string& path) {
  std::ifstream file(path);
  REQUIRE(file);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string reference_file() { return read(POSTERN_CONF "/postern.toml"); }

// What is left out in the reference file stands there as comments: "# key = value", "# [table]".
std::string with_what_is_left_out(std::string text) {
  re2::RE2::GlobalReplace(&text, R"((?m)^# (\[[\w.]+\]|\w+ *= ))", R"(\1)");
  return text;
}

// "pool.*.backends.*" is "pool.store.backends.s2" in the reference file.
std::string table_in_reference(const Row& row) {
  std::string table(row.table);
  if (table == "listen.*") table = "listen.imaps";
  if (table.starts_with("map.*")) table.replace(0, 5, "map.users");
  if (table.starts_with("pool.*")) table.replace(0, 6, "pool.store");
  if (table.ends_with("backends.*")) table.replace(table.size() - 1, 1, "s2");
  if (table.ends_with("[]")) table.replace(table.size() - 2, 2, "[0]");
  return table;
}

toml::path path_in_reference(const Row& row) {
  return toml::path(table_in_reference(row) + "." + std::string(row.key));
}

bool is_example(const Row& row) {
  return (row.table == "server" && row.key == "name") || (row.table == "route[]" && row.key == "pool");
}

TEST_CASE("the reference file is a good configuration of the model's defaults") {
  const auto loaded = load(reference_file(), "postern.toml", bare_environment());
  if (!loaded) FAIL(to_string(loaded.error()));
  Config expected;
  expected.server.name = "mail.example.org";
  expected.tls.certificates = {{"/etc/postern/tls/tls.crt", "/etc/postern/tls/tls.key"}};
  Listener imaps;
  imaps.name = "imaps";
  imaps.addresses = {*Endpoint::parse("0.0.0.0:993"), *Endpoint::parse("[::]:993")};
  Listener pop3s;
  pop3s.name = "pop3s";
  pop3s.protocol = Protocol::Pop3;
  pop3s.addresses = {*Endpoint::parse("0.0.0.0:995"), *Endpoint::parse("[::]:995")};
  expected.listeners = {imaps, pop3s};
  Route route;
  route.pool = "store";
  expected.routes = {route};
  Pool pool;
  pool.name = "store";
  pool.backends = {{"s1", "10.1.0.11"}, {"s2", "10.1.0.12"}};
  expected.pools = {pool};
  CHECK(loaded->config == expected);
}

TEST_CASE("the reference file has every key, with the schema's default") {
  const std::string text = reference_file();
  const toml::table written_root = toml::parse(text);
  const toml::table root = toml::parse(with_what_is_left_out(text));
  for (const Row& row : rows()) {
    const std::string name = std::string(row.table) + "." + std::string(row.key);
    CAPTURE(name);
    if (row.type.kind == Kind::Refused) {
      CHECK(re2::RE2::PartialMatch(text, "# .*\\b" + std::string(row.key) + " *= .*not in this version"));
      continue;
    }
    const toml::node* written = root[path_in_reference(row)].node();
    REQUIRE(written != nullptr);
    const bool left_out = written_root[path_in_reference(row)].node() == nullptr;
    if (row.fallback == kRequired || is_example(row)) continue;
    if (left_out && row.fallback == "\"\"") continue;  // an example is of more use than an empty string
    const toml::table fallback = toml::parse("x = " + std::string(row.fallback));
    CHECK(fallback == toml::table{{"x", *written}});
  }
}

TEST_CASE("the reference file names every value of a choice, and every refused one") {
  const std::string text = reference_file();
  for (const Row& row : rows()) {
    for (const std::string_view word : row.type.words) {
      CAPTURE(std::string(word));
      CHECK(text.find(word) != std::string::npos);
    }
    for (const std::string_view word : row.type.refused) {
      CAPTURE(std::string(word));
      CHECK(re2::RE2::PartialMatch(text, "not in this version: .*\\b" + std::string(word)));
    }
  }
}

TEST_CASE("every row belongs to a section, and no key stands twice") {
  for (const Row& row : rows()) {
    CAPTURE(std::string(row.key));
    CHECK(find_section(row.table) != nullptr);
    CHECK(find_row(row.table, row.key) == &row);
    CHECK(row.help.ends_with('.'));
    CHECK((row.set != nullptr));
  }
}

TEST_CASE("every default is a value of its own type") {
  const struct {
    std::string_view table;  // the sections that begin with it
    std::string_view text;   // and what they need
  } kNeeds[] = {
      {"tls", "[tls]\ncertificates = [{ chain = \"a\", key = \"b\" }]\n"},
      {"listen.*", "[listen.imaps]\nprotocol = \"imap\"\naddress = [\"127.0.0.1:1\"]\n"},
      {"auth.http", "[auth]\nby = \"http\"\nhttp.url = \"http://a/\"\n"},
      {"auth.dovecot", "[auth]\nby = \"dovecot\"\ndovecot.socket = \"/a\"\n"},
      {"auth.policy", "[auth]\npolicy = { url = \"http://a/\", nonce = \"n\" }\n"},
      {"map.*", "[map.users]\nredis.address = \"/a\"\n"},
      {"route[]", "[[route]]\npool = \"store\"\n"},
      {"pool.*", "[pool.store.backends]\ns1 = \"10.1.0.11\"\ns2.host = \"10.1.0.12\"\n"},
  };
  for (const Row& row : rows()) {
    if (row.fallback == kRequired || row.fallback.empty() || row.type.kind == Kind::Refused) continue;
    std::string text;
    for (const auto& [table, needed] : kNeeds) {
      if (row.table.starts_with(table)) text = needed;
    }
    CAPTURE(row.table);
    CAPTURE(row.key);
    toml::table root = toml::parse(text);
    toml::table* place = &root;
    std::string whole = table_in_reference(row);
    if (whole.ends_with("[0]")) whole.resize(whole.size() - 3);
    for (std::string_view rest = whole; !rest.empty();) {
      const std::string_view name = rest.substr(0, rest.find('.'));
      rest.remove_prefix(std::min(rest.size(), name.size() + 1));
      toml::node& node = place->emplace<toml::table>(name).first->second;
      place = node.is_array() ? node.as_array()->get(0)->as_table() : node.as_table();
      REQUIRE(place != nullptr);
    }
    place->insert(row.key, *toml::parse("x = " + std::string(row.fallback)).get("x"));
    std::ostringstream written;
    written << root;
    CHECK(problems_of(written.str()) == "");
  }
}

}  // namespace
}  // namespace postern::conf
