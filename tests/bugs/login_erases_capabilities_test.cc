#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// Most logins over POP3 do not ask for CAPA. Each taught that its store offers nothing, and until the next
// check clients were told of nothing that the stores share.

namespace postern::sim {

TEST_CASE("a login that did not ask what the store offers changes nothing of what is known") {
  World world(config(kPop3, kTwoStores));
  pool::Capabilities& known = *world.snapshot()->capabilities;
  for (const pool::Backend& store : world.snapshot()->pools[0].members->backends()) {
    known.learn(store, Protocol::Pop3, "TOP\nUIDL");
  }
  greet(world);
  world.client.send("CAPA\r\n");
  world.settle();
  CHECK(take(world.client).find("\r\nUIDL\r\n") != std::string::npos);
  world.client.send("USER bob\r\nPASS secret\r\n");
  world.settle();
  REQUIRE(world.stores.size() == 1);
  for (int i = 0; i < 3; ++i) {
    world.stores[0]->send("+OK\r\n");
    world.settle();
  }
  CHECK(take(world.client).ends_with("+OK\r\n"));
  const auto shared = known.shared(Protocol::Pop3);
  REQUIRE(shared);
  CHECK(*shared == "TOP\nUIDL");
}

}  // namespace postern::sim
