#include <cerrno>
#include <doctest/doctest.h>
#include <optional>

#include "proxy/probe.h"
#include "tests/sim/scene.h"

// The health check tried the first address of a store's name alone: while that one was gone the store counted
// as down, though logins went to the second.

namespace postern::sim {

TEST_CASE("a health check tries all addresses of a name") {
  World world(config(kImap, "[pool.store.backends]\ns1 = \"s1.example.org\"\n"));
  world.on_dial = [](Peer& store, std::size_t number) {
    if (number == 0) store.connect_error = ECONNREFUSED;
  };
  const auto snapshot = world.snapshot();
  const StorePool& pool = snapshot->pools.front();
  std::optional<std::string> problem;
  Probe probe(world, pool, pool.members->backends().front(), Protocol::Imap, *snapshot->capabilities, {},
              [&problem](std::string what) { problem = std::move(what); });
  probe.begin();
  probe.on_addresses({*Address::parse("192.0.2.1"), *Address::parse("192.0.2.2")});
  world.settle();
  REQUIRE(world.stores.size() == 2);
  CHECK_FALSE(problem);
  world.stores[1]->send(kGreeting);
  world.settle();
  CHECK(problem == std::string());
}

}  // namespace postern::sim
