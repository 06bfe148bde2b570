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

// "pool.*.backends.*" is "pool.store.backends.s2" in the reference file.
toml::path path_in_reference(const Row& row) {
  std::string table(row.table);
  if (table == "listen.*") table = "listen.imaps";
  if (table.starts_with("pool.*")) table.replace(0, 6, "pool.store");
  if (table.ends_with("backends.*")) table.replace(table.size() - 1, 1, "s2");
  if (table.ends_with("[]")) table.replace(table.size() - 2, 2, "[0]");
  return toml::path(table + "." + std::string(row.key));
}

bool is_example(const Row& row) { return row.table == "server" && row.key == "name"; }

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
  const toml::table root = toml::parse(text);
  for (const Row& row : rows()) {
    const std::string name = std::string(row.table) + "." + std::string(row.key);
    CAPTURE(name);
    const toml::node* written = root[path_in_reference(row)].node();
    if (written == nullptr) {
      const bool is_refused = row.type.kind == Kind::Refused;
      const std::string note = is_refused ? ".*not in this version" : "";
      CHECK(re2::RE2::PartialMatch(text, "# .*\\b" + std::string(row.key) + " *= " + note));
      CHECK((is_refused || row.fallback == "\"\""));
    } else if (row.fallback != kRequired && !is_example(row)) {
      const toml::table fallback = toml::parse("x = " + std::string(row.fallback));
      CHECK(fallback == toml::table{{"x", *written}});
    }
  }
}

TEST_CASE("the reference file names every refused value") {
  const std::string text = reference_file();
  for (const Row& row : rows()) {
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
  for (const Row& row : rows()) {
    if (row.fallback == kRequired || row.fallback.empty() || row.type.kind == Kind::Refused) continue;
    std::string table(row.table);
    if (table.ends_with("[]")) table = "[" + table.substr(0, table.size() - 2) + "]";
    if (table == "listen.*") table = "listen.x";
    if (table.starts_with("pool.*")) table.replace(0, 6, "pool.store");
    if (table.ends_with("backends.*")) table.replace(table.size() - 1, 1, "s2");
    std::string text = "[" + table + "]\n" + std::string(row.key) + " = " + std::string(row.fallback) + "\n";
    if (row.table == "tls") text += "certificates = [{ chain = \"a\", key = \"b\" }]\n";
    if (row.table == "listen.*") text += "protocol = \"imap\"\naddress = [\"127.0.0.1:1\"]\n";
    if (row.table == "route[]") text += "pool = \"store\"\n";
    if (row.table == "pool.*.backends.*") text += "host = \"a\"\n";
    if (row.table.starts_with("pool.*")) text += "[pool.store.backends.s1]\nhost = \"10.1.0.11\"\n";
    CAPTURE(text);
    CHECK(problems_of(text) == "");
  }
}

}  // namespace
}  // namespace postern::conf
