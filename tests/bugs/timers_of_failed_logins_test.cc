#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// The phase in which a login failed had no timer: the log could not tell what had taken the time. What it
// told instead was of an earlier login of the session.

namespace postern::sim {

namespace {

using std::chrono::seconds;

// Nobody but the user's home is asked.
constexpr std::string_view kPartitioned = R"(
[pool.store]
forward = []
data = "partitioned"
[pool.store.backends]
s1 = "192.0.2.101"
)";

// Ends the session. Tenths of a second of these timers of its line; "-": it is not there.
std::string timers(World& world) {
  world.client.reset();
  world.settle();
  REQUIRE(world.over());
  const std::string line = world.log_line();
  std::string found;
  for (const std::string_view name : {"lookup_ms=", "queue_ms=", "connect_ms=", "store_login_ms="}) {
    const std::size_t place = line.find(' ' + std::string(name));
    if (!found.empty()) found += ' ';
    if (place == std::string::npos) {
      found += '-';
    } else {
      const std::size_t value = place + 1 + name.size();
      found += std::to_string(std::stoul(line.substr(value)) / 100);
    }
  }
  return found;
}

}  // namespace

TEST_CASE("the phase in which a login failed has its time in the log") {
  World world(config(kImap, kPartitioned));
  greet(world);
  SUBCASE("connecting") {
    world.on_dial = [](Peer& store, std::size_t) { store.connects = false; };
    world.client.send(kLogin);
    world.pass(seconds(6));
    CHECK(timers(world) == "0 0 50 -");
  }
  SUBCASE("the login at the store") {
    world.client.send(kLogin);
    world.pass(seconds(31));
    CHECK(timers(world) == "0 0 0 300");
  }
  SUBCASE("the client did not want to wait longer") {
    world.client.send(kLogin);
    world.pass(seconds(20));
    CHECK(timers(world) == "0 0 0 200");
  }
}

TEST_CASE("a login that never got to a store has the time of the map that was asked") {
  World world(mapped("192.0.2.201:6379", "timeout = \"3s\"\n"));
  greet(world);
  world.client.send(kLogin);
  world.pass(seconds(4));
  CHECK(timers(world) == "30 - - -");
}

TEST_CASE("the timers are of the backend that was tried last") {
  World world(config(kImap, kTwoStores, "[pool.store.time]\nlogin = \"10s\"\n"));
  world.on_dial = [](Peer& store, std::size_t n) { store.connects = n == 0; };
  greet(world);
  world.client.send(kLogin);
  world.pass(seconds(16));
  REQUIRE(world.dialled.size() == 2);
  CHECK(timers(world) == "0 0 50 -");
}

TEST_CASE("a login of the same session has no timers of the one before") {
  World world(config(kImap, kTwoStores, "[limits]\nfailure_delay = \"0s\"\nlogin_attempts = 10\n"));
  ask_to_log_in(world);
  world.pass(seconds(2));
  world.stores[0]->send("L NO [AUTHENTICATIONFAILED] no\r\n");
  world.settle();
  world.on_dial = [](Peer& store, std::size_t) { store.connects = false; };
  world.client.send("b LOGIN bob other\r\n");
  world.pass(seconds(1));
  CHECK(timers(world) == "0 0 10 -");
}

TEST_CASE("a login that got to no store has no timers of a store that an earlier login had") {
  World world(mapped("192.0.2.201:6379", "timeout = \"5s\"\n[limits]\nfailure_delay = \"0s\"\n"));
  greet(world);
  world.client.send(kLogin);
  world.settle();
  world.stores[0]->send("$5\r\nstore\r\n");
  world.settle();
  world.stores[1]->send(kGreeting);
  world.settle();
  world.stores[1]->send("L NO [AUTHENTICATIONFAILED] no\r\n");
  world.settle();
  world.client.send("b LOGIN eve other\r\n");
  world.pass(seconds(1));
  CHECK(timers(world) == "10 - - -");
}

}  // namespace postern::sim
