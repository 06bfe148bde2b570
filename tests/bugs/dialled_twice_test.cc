#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// The first address of a store refused while its event stood in line, and the time to connect ran out: the
// second address was dialled at once. Then the place in line came up, and the store was dialled once more in
// the middle of that.

namespace postern::sim {

TEST_CASE("a place in line that was left early is nobody's") {
  World world(config(kImap, R"(
[pool.store]
forward = []
[pool.store.backends]
s1 = "mail.example.net"
)"));
  world.names["mail.example.net"] = {*Address::parse("192.0.2.101"), *Address::parse("192.0.2.102")};
  world.on_dial = [](Peer& store, std::size_t) { store.connects = false; };
  greet(world);
  world.client.send(kLogin);
  world.pass(std::chrono::milliseconds(100));
  REQUIRE(world.stores.size() == 1);
  world.crowd();
  world.stores[0]->connect_error = ECONNREFUSED;
  world.stores[0]->connects = true;
  world.settle();
  CHECK(world.stores.size() == 1);
  world.pass(std::chrono::seconds(5));
  CHECK(world.stores.size() == 2);
  world.next_turn();
  world.pass(std::chrono::milliseconds(100));  // the name would be looked up again
  CHECK(world.stores.size() == 2);
}

}  // namespace postern::sim
