#include "proxy/explain.h"

#include <cstdio>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <string>

#include "proxy/compose.h"
#include "tests/temporary_directory.h"

namespace postern {

namespace {

constexpr std::string_view kListenAndPool = R"(
[listen.imap]
protocol = "imap"
address = ["127.0.0.1:143"]
tls = "none"
[listen.pop]
protocol = "pop3"
address = ["127.0.0.1:110"]
tls = "none"
[pool.store.backends]
s1 = "192.0.2.1"
s2 = "192.0.2.2"
s3 = { host = "192.0.2.3", priority = 1 }
[pool.other.backends]
o1 = "192.0.2.9"
)";

Explanation explained(const std::string& rest, const RouteQuestion& question,
                      const std::optional<RunningBackends>& running = std::nullopt) {
  conf::Environment environment;
  environment.variable = [](const std::string&) { return std::nullopt; };
  environment.host_name = "mail.example.org";
  auto loaded = conf::load(std::string(kListenAndPool) + rest, "test.toml", environment);
  if (!loaded) FAIL(conf::to_string(loaded.error()));
  auto snapshot = compose(*loaded, nullptr, nullptr, Time{});
  if (!snapshot) FAIL(conf::to_string(snapshot.error()));
  auto explanation = explain(loaded->config, **snapshot, question, running);
  REQUIRE(explanation);
  return std::move(*explanation);
}

}  // namespace

TEST_CASE("every route is told with the condition that fails, up to the one that holds") {
  const Explanation is = explained(R"(
[[route]]
listener = "pop"
pool = "other"
[[route]]
user = "a*"
pool = "other"
[[route]]
pool = "store"
)",
                                   {.user = "bob", .listener = "", .server_name = ""});
  REQUIRE(is.steps.size() == 4);
  CHECK(is.steps[1].says == "user \"*\", listener \"pop\": no, listener differs");
  CHECK(is.steps[2].says == "user \"a*\": no, user differs");
  CHECK(is.steps[3].says == "user \"*\": yes, pool store");
  CHECK(is.pool == "store");
  CHECK(is.backends.size() == 3);
  CHECK(is.backends.back().name == "s3");
  CHECK(is.choice == is.backends.front().name);
  CHECK(is.backends.front().state == "unknown");
}

TEST_CASE("the listener decides the protocol, and with it the port") {
  const Explanation is = explained("[[route]]\npool = \"store\"\n", {"bob", "pop", ""});
  CHECK(is.protocol == Protocol::Pop3);
  CHECK(is.backends.front().port == 110);
}

TEST_CASE("no route refuses") {
  const Explanation is = explained("[[route]]\nuser = \"a*\"\npool = \"store\"\n", {"bob", "", ""});
  CHECK(is.fault == Fault::NoRoute);
  CHECK(is.backends.empty());
}

TEST_CASE("a map is asked, and what it does not know goes to the next route") {
  const TemporaryDirectory folder;
  const std::string rest = "[map.hand]\nfile = \"" + folder.write("map", "bob other/o1\n") +
                           "\"\n[[route]]\nmap = \"hand\"\n[[route]]\npool = \"store\"\n";
  const Explanation known = explained(rest, {"bob", "", ""});
  CHECK(known.pool == "other");
  CHECK(known.fixed_backend == "o1");
  CHECK(known.choice == "o1");
  const Explanation unknown = explained(rest, {"eve", "", ""});
  CHECK(unknown.pool == "store");
}

TEST_CASE("a map that cannot be asked refuses as temporary, and never goes on") {
  const Explanation is = explained(
      "[map.far]\nredis = { address = \"127.0.0.1:1\" }\n[[route]]\nmap = \"far\"\n[[route]]\npool = "
      "\"store\"\n",
      {"bob", "", ""});
  CHECK(is.fault == Fault::LookupUnavailable);
  CHECK(is.pool.empty());
}

TEST_CASE("what the running proxy tells decides who can be used") {
  const std::string rest = "[[route]]\npool = \"store\"\n";
  const Explanation before = explained(rest, {"bob", "", ""});
  const std::string home = before.choice;
  RunningBackends running;
  for (const auto& one : before.backends)
    running[{"store", one.name}] = {.sessions = 7, .pending_logins = 1, .up = true};
  CHECK(explained(rest, {"bob", "", ""}, running).choice == home);
  running[{"store", home}].up = false;
  const Explanation is = explained(rest, {"bob", "", ""}, running);
  CHECK(is.choice == before.backends[1].name);
  CHECK(is.backends[0].state == "down");
  CHECK(is.backends[0].sessions == 7);
}

TEST_CASE("when every backend is down the choice is the one that a login would be given") {
  const std::string rest = "[[route]]\npool = \"store\"\n";
  const Explanation before = explained(rest, {"bob", "", ""});
  RunningBackends running;
  for (const auto& one : before.backends) running[{"store", one.name}] = {};
  const Explanation is = explained(rest, {"bob", "", ""}, running);
  CHECK(is.choice == before.choice);
  CHECK(is.how == "panic");
  CHECK_FALSE(is.backends[0].usable);
}

TEST_CASE(
    "the fewest sessions decide where the pool says so, and a turn is nobody's but the running proxy's") {
  const std::string least =
      "[pool.even]\nbalance = \"least\"\n[pool.even.backends]\n"
      "e1 = \"192.0.2.4\"\ne2 = \"192.0.2.5\"\n[[route]]\npool = \"even\"\n";
  RunningBackends running{{{"even", "e1"}, {.sessions = 5, .pending_logins = 0, .up = true}},
                          {{"even", "e2"}, {.sessions = 4, .pending_logins = 0, .up = true}}};
  CHECK(explained(least, {"bob", "", ""}, running).choice == "e2");
  running[{"even", "e2"}].ejected = true;
  const Explanation is = explained(least, {"bob", "", ""}, running);
  CHECK(is.choice == "e1");
  CHECK(is.how == "least");

  std::string turns = least;
  turns.replace(turns.find("least"), 5, "round_robin");
  const Explanation turn = explained(turns, {"bob", "", ""}, running);
  CHECK(turn.by_turn);
  CHECK(turn.choice.empty());
  CHECK(to_text(turn).find("whoever's turn it is") != std::string::npos);
}

TEST_CASE("the running proxy's page is read, and no other") {
  const auto backends = read_backends(
      "postern_build_info{version=\"1\"} 1\n"
      "postern_backend_sessions{backend=\"s1\",pool=\"store\"} 12\n"
      "postern_backend_pending_logins{backend=\"s1\",pool=\"store\"} 3\n"
      "postern_backend_up{backend=\"s1\",pool=\"store\"} 1\n"
      "postern_backend_ejected{backend=\"s1\",pool=\"store\"} 0\n");
  REQUIRE(backends);
  REQUIRE(backends->size() == 1);
  const RunningBackend& one = backends->at({"store", "s1"});
  CHECK(one.sessions == 12);
  CHECK(one.pending_logins == 3);
  CHECK(one.up);
  CHECK_FALSE(one.ejected);
  CHECK_FALSE(read_backends("node_cpu_seconds_total 1\n"));
}

TEST_CASE("JSON says the same, whatever bytes the name has") {
  const Explanation is = explained("[[route]]\npool = \"store\"\n", {"b\xff\"ob", "", ""});
  const auto json = nlohmann::json::parse(to_json(is));
  CHECK(json["pool"] == "store");
  CHECK(json["backends"].size() == 3);
  CHECK(json["choice"] == is.choice);
  CHECK(to_text(is).find("goes to " + is.choice) != std::string::npos);
}

}  // namespace postern
