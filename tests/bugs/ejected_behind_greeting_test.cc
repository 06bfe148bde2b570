#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// A store that greeted and never answered a login was ejected until the next good check, which asks for
// nothing but the greeting: clients were sent to it again two seconds later.

namespace postern::sim {

namespace {

constexpr std::string_view kEject = R"(
[pool.store.time]
login = "1s"
[pool.store.health]
eject = { errors = 1, base = "30s" }
)";

}  // namespace

TEST_CASE("a good check brings a store back only when it sees what the logins failed by") {
  World world(config(kImap, kTwoStores, kEject));
  const pool::Pool& members = *world.snapshot()->pools[0].members;
  const auto dialled = [&world, &members]() -> const pool::Backend& {
    const auto backends = members.backends();
    return backends[0].host() == world.dialled[0].address.to_string() ? backends[0] : backends[1];
  };
  greet(world);
  world.client.send(kLogin);
  world.settle();
  REQUIRE(world.stores.size() == 1);
  bool comes_back = false;
  SUBCASE("it does not answer the login") { world.stores[0]->send(kGreeting); }
  SUBCASE("it closes when it has the password") {
    world.stores[0]->send(kGreeting);
    world.settle();
    world.stores[0]->finish();
  }
  SUBCASE("it does not even greet") { comes_back = true; }
  world.pass(std::chrono::seconds(2));
  const net::Reactor& reactor = world;
  const Time now = reactor.now();
  REQUIRE(dialled().health().ejected(now));
  members.report(dialled(), true, now, 0.5);
  CHECK(dialled().health().ejected(now) != comes_back);
}

TEST_CASE("partitioned users have their store again with the first good check") {
  World world(config(kImap, "[pool.store]\ndata = \"partitioned\"\nforward = []\n", kEject) +
              "[pool.store.backends]\ns1 = \"192.0.2.101\"\n");
  const pool::Pool& members = *world.snapshot()->pools[0].members;
  const pool::Backend& home = members.backends().front();
  greet(world);
  world.client.send(kLogin);
  world.settle();
  world.stores[0]->send(kGreeting);
  world.settle();
  world.stores[0]->finish();  // it restarts while it has the password
  world.settle();
  const net::Reactor& reactor = world;
  REQUIRE(home.health().ejected(reactor.now()));
  members.report(home, true, reactor.now(), 0.5);
  CHECK_FALSE(home.health().ejected(reactor.now()));
}

}  // namespace postern::sim
