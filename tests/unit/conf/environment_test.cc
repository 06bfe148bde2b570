#include <cstdlib>
#include <doctest/doctest.h>

#include "tests/unit/conf/base.h"

namespace postern::conf {
namespace {

std::string with_limit(std::uint64_t limit, unsigned processors, const std::string& text) {
  Environment environment = bare_environment();
  environment.descriptor_limit = limit;
  environment.processors = processors;
  return problems_of(text, environment);
}

TEST_CASE("the sessions fit into the descriptors: two each, 64, and 17 per worker with one address") {
  CHECK(with_limit(100'081, 1, "") == "");
  CHECK(with_limit(100'080, 1, "") ==
        "postern.toml: limits.sessions = 50000 needs 100081 file descriptors, and this process may open "
        "100080; set "
        "LimitNOFILE=100081 (systemd) or \"ulimit -n 100081\", or allow fewer sessions\n");
  CHECK(with_limit(1024, 1, "[limits]\nsessions = 500\n") ==
        "postern.toml:2:12: limits.sessions = 500 needs 1081 file descriptors, and this process may open "
        "1024; set "
        "LimitNOFILE=1081 (systemd) or \"ulimit -n 1081\", or allow fewer sessions\n"
        "    sessions = 500\n               ^\n");
}

TEST_CASE("workers and addresses need descriptors, and workers = 0 is one per CPU") {
  const std::string text =
      "[limits]\nsessions = 100\n[listen.a]\nprotocol = \"imap\"\naddress = [\"0.0.0.0:993\", "
      "\"[::]:993\"]\n";
  CHECK(with_limit(264 + 18 * 8, 8, text) == "");
  CHECK(with_limit(264 + 18 * 8 - 1, 8, text) != "");
  CHECK(with_limit(264 + 18 * 3, 8, "[server]\nworkers = 3\n" + text) == "");
  CHECK(with_limit(264 + 18 * 3 - 1, 8, "[server]\nworkers = 3\n" + text) != "");
}

TEST_CASE("each worker's connections to services need descriptors") {
  const std::string sessions = "[server]\nworkers = 2\n[limits]\nsessions = 100\n";
  const auto needs = [&sessions](std::uint64_t connections, const std::string& text) {
    CAPTURE(text);
    const std::uint64_t all = 264 + 2 * (17 + connections);
    CHECK(with_limit(all, 1, sessions + text) == "");
    CHECK(with_limit(all - 1, 1, sessions + text) != "");
  };
  needs(0, "");
  needs(256, "[auth]\nby = \"http\"\nhttp.url = \"http://a/\"\n");
  needs(
      7 + 100,
      "[auth]\nby = \"http\"\nhttp = { url = \"http://a/\", in_flight = 7 }\npolicy = { url = \"http://b/\", "
      "nonce = \"n\" }\n");
  needs(1, "[auth]\nby = \"dovecot\"\ndovecot.socket = \"/a\"\n");
  needs(2, "[map]\na.redis.address = \"/a\"\nb.redis.address = \"/b\"\nc.file = \"c\"\n");
}

TEST_CASE("no limit is no problem") { CHECK(with_limit(0, 64, "[limits]\nsessions = 1000000\n") == ""); }

TEST_CASE("the real environment has this process's variables, a host and at least one CPU") {
  const Environment environment = Environment::real();
  REQUIRE(::setenv("POSTERN_CONF_TEST", "yes", 1) == 0);
  CHECK(environment.variable("POSTERN_CONF_TEST") == "yes");
  REQUIRE(::unsetenv("POSTERN_CONF_TEST") == 0);
  CHECK_FALSE(environment.variable("POSTERN_CONF_TEST"));
  CHECK_FALSE(environment.host_name.empty());
  CHECK(environment.processors >= 1);
  CHECK(environment.read_files);
}

}  // namespace
}  // namespace postern::conf
