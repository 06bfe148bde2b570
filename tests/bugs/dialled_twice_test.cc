#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// A connection to a store came about while its event stood in line, and the time to connect ran out: it went
// on at once. Then the place in line came up, and the store was dialled a second time in the middle of the
// handshake of the first.

namespace postern::sim {

TEST_CASE("a place in line that was left early is nobody's") {
  World world(config(kImap, R"(
[pool.store]
forward = []
tls = "implicit"
verify = false
[pool.store.backends]
s1 = "192.0.2.101"
s2 = "192.0.2.102"
)"));
  world.on_dial = [](Peer& store, std::size_t) { store.connects = false; };
  greet(world);
  world.client.send(kLogin);
  world.settle();
  REQUIRE(world.stores.size() == 1);
  world.crowd();
  world.stores[0]->connects = true;
  world.settle();
  CHECK(world.stores[0]->received.empty());
  for (int i = 0; i < 200 && world.stores[0]->received.empty(); ++i) world.pass(net::TimerWheel::kWidth);
  CHECK(world.stores[0]->received.starts_with("\x16\x03"));
  world.next_turn();
  CHECK(world.stores.size() == 1);
}

}  // namespace postern::sim
