#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// A store's name had two addresses. The second got no time of its own, and where the first had been silent in
// TLS nothing was ever sent to it.

namespace postern::sim {

namespace {

std::string of_name(std::string_view tls) {
  return "[pool.store]\nforward = []\n" + std::string(tls) +
         "[pool.store.backends]\ns1 = \"s1.example.org\"\n";
}

}  // namespace

TEST_CASE("the second address of a store has a time of its own") {
  World world(config(kImap, of_name("")));
  world.names["s1.example.org"] = {*Address::parse("192.0.2.1"), *Address::parse("192.0.2.2")};
  world.on_dial = [](Peer& store, std::size_t) { store.connects = false; };
  greet(world);
  world.client.send(kLogin);
  world.pass(std::chrono::milliseconds(5200));
  REQUIRE(world.stores.size() == 2);
  world.pass(std::chrono::seconds(3));
  REQUIRE(world.stores.size() == 2);
  world.stores[1]->connects = true;
  world.settle();
  world.stores[1]->send(kGreeting);
  world.settle();
  world.stores[1]->send(kStoreOk);
  world.settle();
  CHECK(take(world.client).find(kClientOk) != std::string::npos);
}

TEST_CASE("an address that is silent in TLS is followed by the next") {
  World world(config(kImap, of_name("tls = \"implicit\"\nverify = false\n")));
  world.names["s1.example.org"] = {*Address::parse("192.0.2.1"), *Address::parse("192.0.2.2")};
  greet(world);
  world.client.send(kLogin);
  world.pass(std::chrono::milliseconds(5200));
  REQUIRE(world.stores.size() == 2);
  CHECK(world.stores[1]->received.starts_with("\x16\x03"));
}

}  // namespace postern::sim
