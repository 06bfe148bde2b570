#include "conf/substitute.h"

#include <doctest/doctest.h>

#include "conf/loader.h"
#include "tests/unit/conf/base.h"

namespace postern::conf {
namespace {

std::optional<std::string> variable(const std::string& name) {
  if (name == "NAME") return "value";
  if (name == "EMPTY") return "";
  if (name == "_A1") return "underscore";
  if (name == "NESTED") return "${NAME} $$";
  if (name == "SEVEN") return "7";
  if (name == "YES") return "true";
  if (name == "CONTROL") return "a\nb";
  if (name == "HOST") return "10.9.9.9";
  return std::nullopt;
}

Environment with_variables() {
  Environment environment = bare_environment();
  environment.variable = variable;
  return environment;
}

TEST_CASE("variables are replaced, and only once") {
  const struct {
    const char* text;
    const char* result;
  } kCases[] = {
      {"", ""},
      {"plain", "plain"},
      {"${NAME}", "value"},
      {"a${NAME}b${NAME}c", "avaluebvaluec"},
      {"${_A1}", "underscore"},
      {"[${EMPTY}]", "[]"},
      {"${EMPTY:-other}", "other"},
      {"${UNSET:-other}", "other"},
      {"${NAME:-other}", "value"},
      {"${UNSET:-}", ""},
      {"${UNSET:-a:-b}", "a:-b"},
      {"${UNSET:-$NAME}", "$NAME"},
      {"${NESTED}", "${NAME} $$"},
      {"$$", "$"},
      {"$$$$", "$$"},
      {"$${NAME}", "${NAME}"},
      {"$$${NAME}", "$value"},
      {"$", "$"},
      {"$NAME", "$NAME"},
      {"/^a.*$/", "/^a.*$/"},
      {"a$b$", "a$b$"},
      {"}{", "}{"},
  };
  for (const auto& one : kCases) {
    CAPTURE(std::string(one.text));
    CHECK(substitute(one.text, variable) == std::string(one.result));
  }
}

TEST_CASE("a variable that cannot be replaced is an error that names it") {
  const struct {
    const char* text;
    const char* error;
  } kCases[] = {
      {"${UNSET}", "the environment variable UNSET is not set; set it, or write \"${UNSET:-default}\""},
      {"x${", "\"${\" has no closing \"}\"; a plain \"${\" is written \"$${\""},
      {"${NAME", "\"${\" has no closing \"}\"; a plain \"${\" is written \"$${\""},
      {"${}", "\"${}\" does not name an environment variable; a plain \"${\" is written \"$${\""},
      {"${1A}", "\"${1A}\" does not name an environment variable; a plain \"${\" is written \"$${\""},
      {"a{2}${2}", "\"${2}\" does not name an environment variable; a plain \"${\" is written \"$${\""},
      {"${NA ME}", "\"${NA ME}\" does not name an environment variable; a plain \"${\" is written \"$${\""},
      {"${NAME-x}", "\"${NAME-x}\" does not name an environment variable; a plain \"${\" is written \"$${\""},
      {"${:-x}", "\"${:-x}\" does not name an environment variable; a plain \"${\" is written \"$${\""},
  };
  for (const auto& one : kCases) {
    CAPTURE(std::string(one.text));
    const auto result = substitute(one.text, variable);
    REQUIRE_FALSE(result);
    CHECK(result.error() == one.error);
  }
}

TEST_CASE("without a world every variable is unset") { CHECK_FALSE(substitute("${NAME}", nullptr)); }

TEST_CASE("a text takes something from the environment, or not") {
  CHECK(has_variable("${A}"));
  CHECK(has_variable("$$${A}"));
  CHECK(has_variable("$a${"));
  CHECK_FALSE(has_variable(""));
  CHECK_FALSE(has_variable("$"));
  CHECK_FALSE(has_variable("$${A}"));
  CHECK_FALSE(has_variable("$A"));
}

TEST_CASE("variables work in every string of a configuration") {
  const Config config = config_of(
      "[server]\nname = \"${NAME}.example\"\nworkers = \"${SEVEN}\"\n"
      "[log]\nlevel = \"${LEVEL:-warn}\"\n"
      "[limits]\nidle = \"${SEVEN}m\"\nline = \"${SEVEN}KiB\"\n"
      "[listen.a]\nprotocol = \"imap\"\naddress = [\"127.0.0.1:14${SEVEN}\"]\ntls = \"none\"\n"
      "trusted = [\"${HOST}/32\"]\n"
      "[pool.store]\nverify = \"${YES}\"\nforward = [\"${FORWARD:-id}\"]\n"
      "[pool.store.backends]\ns1 = \"${HOST}\"\ns2 = { host = \"s2\", weight = \"${WEIGHT:-50}\" }\n",
      with_variables());
  CHECK(config.server.name == "value.example");
  CHECK(config.server.workers == 7);
  CHECK(config.log.level == LogLevel::Warn);
  CHECK(config.limits.idle == std::chrono::minutes(7));
  CHECK(config.limits.line == 7168);
  CHECK(config.listeners[0].addresses[0].port == 147);
  CHECK(config.listeners[0].trusted.size() == 1);
  CHECK(config.pools[0].verify);
  CHECK(config.pools[0].forward ==
        Forward{.id = true, .xclient = false, .proxy_v1 = false, .proxy_v2 = false});
  CHECK(config.pools[0].backends[0].host == "10.9.9.9");
  CHECK(config.pools[0].backends[1].weight == 50);
}

TEST_CASE("what comes from the environment is checked like what is written") {
  const struct {
    const char* text;
    const char* says;
  } kCases[] = {
      {"[server]\nname = \"${UNSET}\"",
       "postern.toml:2:8: server.name cannot be read: the environment variable UNSET is not set; set it, or "
       "write "
       "\"${UNSET:-default}\"\n    name = \"${UNSET}\"\n           ^\n"},
      {"[server]\nworkers = \"${NAME}\"",
       "postern.toml:2:11: server.workers must be an integer, not \"${NAME}\"\n    workers = \"${NAME}\"\n"
       "              ^\n"},
      {"[server]\nworkers = \"${UNSET:-257}\"",
       "postern.toml:2:11: server.workers must be from 0 to 256, not \"${UNSET:-257}\"\n    workers = "
       "\"${UNSET:-257}\"\n"
       "              ^\n"},
      {"[server]\nworkers = \"${UNSET:--1}\"",
       "postern.toml:2:11: server.workers must be an integer, not \"${UNSET:--1}\"\n    workers = "
       "\"${UNSET:--1}\"\n"
       "              ^\n"},
      {"[server]\nworkers = \"${EMPTY}\"",
       "postern.toml:2:11: server.workers must not be empty\n    workers = \"${EMPTY}\"\n              ^\n"},
      {"[log]\nlevel = \"${EMPTY}\"",
       "postern.toml:2:9: log.level must not be empty\n    level = \"${EMPTY}\"\n            ^\n"},
      {"[server]\nuser = \"${CONTROL}\"",
       "postern.toml:2:8: server.user must not have a control character in it: \"${CONTROL}\"\n"
       "    user = \"${CONTROL}\"\n           ^\n"},
      {"[pool.store]\nverify = \"${NAME}\"\nbackends = { s1 = \"a\" }",
       "postern.toml:2:10: pool.store.verify must be true or false, not \"${NAME}\"\n    verify = "
       "\"${NAME}\"\n"
       "             ^\n"},
      {"[server]\nworkers = \"7\"",
       "postern.toml:2:11: server.workers must be an integer, not the string \"7\"\n    workers = \"7\"\n"
       "              ^\n"},
  };
  for (const auto& one : kCases) {
    CAPTURE(std::string(one.text));
    CHECK(problems_of(one.text, with_variables()) == one.says);
  }
}

TEST_CASE("no message shows what came from the environment") {
  for (const char* text : {
           "[server]\nname = \"${S}\"",
           "[server]\nworkers = \"${S}\"",
           "[server.drain]\nwait = \"${S}\"",
           "[log]\nlevel = \"${S}\"",
           "[log]\ntarget = \"${S}\"",
           "[limits]\nline = \"${S}\"",
           "[listen.a]\nprotocol = \"imap\"\naddress = [\"${S}\"]",
           "[listen.a]\nprotocol = \"imap\"\naddress = [\"127.0.0.1:993\"]\ntrusted = [\"${S}\"]",
           "[auth]\nmechanisms = [\"${S}\"]",
           "[auth]\nmaster_separator = \"${S}\"",
           "[auth]\nby = \"http\"\nhttp.url = \"${S}\"",
           "[auth]\nby = \"http\"\nhttp = { url = \"http://a/\", headers = { X-Key = \"${S}\\n\" } }",
           "[auth]\nby = \"dovecot\"\ndovecot.socket = \"${S}\"",
           "[map.m.redis]\naddress = \"a:1\"\nkey = \"${S}\"",
           "[[route]]\npool = \"${S}\"",
           "[[route]]\nmap = \"${S}\"",
           "[[route]]\npool = \"store\"\nbackend = \"${S}\"",
           "[[route]]\npool = \"store\"\nlistener = \"${S}\"",
           "[pool.store.backends]\ns1 = \"${S}\"",
           "[pool.store]\nverify = \"${S}\"\nbackends = { s1 = \"a\" }",
       }) {
    CAPTURE(std::string(text));
    Environment environment = with_variables();
    environment.variable = [](const std::string&) { return "geheim 1"; };
    const std::string problems = problems_of(text, environment);
    CHECK(problems.find("${S}") != std::string::npos);
    CHECK(problems.find("geheim") == std::string::npos);
  }
}

}  // namespace
}  // namespace postern::conf
