#include <cerrno>
#include <doctest/doctest.h>

#include "tests/sim/scene.h"

namespace postern::sim {

TEST_CASE("the line of a login that failed is the one that the log's README reads") {
  World world(config(kImap, kTwoStores));
  world.on_dial = [](Peer& store, std::size_t number) {
    if (number == 0) store.connect_error = ECONNREFUSED;
    store.connects = number == 0;
  };
  greet(world);
  world.client.send("a LOGIN alice@example.org secret\r\n");
  world.pass(std::chrono::milliseconds(5100));
  CHECK(take(world.client) == "a NO [UNAVAILABLE] Account is temporarily unavailable.\r\n");
  world.client.reset();
  world.settle();
  REQUIRE(world.over());
  const std::string line = world.log_line();
  CAPTURE(line);
  CHECK(
      line.find("user=alice@example.org pool=store backend=s2 how=spill result=failed fault=connect_timeout "
                "blame=store detail=\"s2: no answer to connect\" end=CG attempts=0 retries=1 ") !=
      std::string::npos);
  CHECK(line.find(" queue_ms=0.000 connect_ms=50") != std::string::npos);
  CHECK(line.find("store_login_ms") == std::string::npos);
}

}  // namespace postern::sim
