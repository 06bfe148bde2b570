#include <cerrno>
#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// A store that accepts and resets at once is seen in one of two ways, as the clock has it: the reset follows
// the end of connecting, or is its result. Both are one fault; the second was counted as another.

namespace postern::sim {

TEST_CASE("a store that accepted and reset has closed, however early the reset is seen") {
  World world(config(kImap, kTwoStores));
  SUBCASE("as the result of connecting") {
    world.on_dial = [](Peer& store, std::size_t) { store.connect_error = ECONNRESET; };
  }
  SUBCASE("after it") {
    world.on_dial = [](Peer& store, std::size_t) { store.reset(); };
  }
  greet(world);
  world.client.send(kLogin);
  world.settle();
  world.client.finish();
  world.settle();
  REQUIRE(world.over());
  CHECK(world.log_line().find("fault=store_closed") != std::string::npos);
}

}  // namespace postern::sim
