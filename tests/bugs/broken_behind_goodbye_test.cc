#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// The client's last words were LOGOUT, not all of them had reached the store, and the store's connection
// broke: the session was told of it in every turn of the loop, for half a minute.

namespace postern::sim {

TEST_CASE("a store that breaks while a goodbye waits for it ends the session") {
  World world(config(kImap, kTwoStores));
  log_in(world);
  world.stores[0]->window = 100;
  world.client.send(std::string(1000, 'x') + "LOGOUT\r\n");
  world.settle();
  world.stores[0]->reset();
  world.settle();
  CHECK(world.client.session_finished);
  world.client.finish();
  world.pass(std::chrono::seconds(5));
  CHECK(world.over());
}

}  // namespace postern::sim
