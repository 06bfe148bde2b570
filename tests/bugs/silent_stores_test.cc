#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// Both stores accepted and said nothing. The second one's time was cut by login_time, and its silence was the
// client's fault: it was told BYE instead of its answer, and nothing was noted of the store.

namespace postern::sim {

TEST_CASE("stores that are silent until login_time ends are blamed, and the client has its answer") {
  World world(config(kImap, kTwoStores));
  world.connect();
  world.pass(std::chrono::milliseconds(300));
  take(world.client);
  world.client.send(kLogin);
  world.pass(std::chrono::milliseconds(58600));
  REQUIRE(world.dialled.size() == 2);
  CHECK(take(world.client).empty());
  world.pass(std::chrono::milliseconds(200));
  CHECK(take(world.client) == "a NO [UNAVAILABLE] Account is temporarily unavailable.\r\n");
  for (const pool::Backend& backend : world.snapshot()->pools[0].members->backends()) {
    CAPTURE(backend.name());
    CHECK(backend.state()->failures == 1);
    const auto& counted = world.counted().backends[world.snapshot()->pools[0].number_of(backend)];
    CHECK(counted.failures[static_cast<std::size_t>(Fault::StoreTimeout)].value() == 1);
  }
  CHECK(world.counted().login_faults[static_cast<std::size_t>(Fault::StoreTimeout)].value() == 1);
  SUBCASE("the client says goodbye") {
    world.client.send("b LOGOUT\r\n");
    world.pass(std::chrono::seconds(3));
  }
  SUBCASE("the client leaves") {
    world.client.reset();
    world.settle();
  }
  SUBCASE("the client has nothing more to say") { world.pass(std::chrono::seconds(4)); }
  REQUIRE(world.over());
  const std::string line = world.log_line();
  CHECK(line.find("result=failed fault=store_timeout blame=store") != std::string::npos);
  CHECK(world.counted().login_faults[static_cast<std::size_t>(Fault::LoginTimeout)].value() == 0);
}

}  // namespace postern::sim
