#include <cerrno>
#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// A map whose Redis went away answered from what it knew, and the log said nothing of it.

namespace postern::sim {

namespace {

using std::chrono::seconds;

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("the log tells why a map has no Redis, each reason once, and once that it is back") {
  World world(mapped("192.0.2.201:6379", ""));
  world.settle();
  REQUIRE(world.dialled.size() == 1);
  CHECK(world.log_line().empty());

  bool there = false;
  world.on_dial = [&there](Peer& redis, std::size_t) { redis.connect_error = there ? 0 : ECONNREFUSED; };
  world.stores[0]->finish();
  world.pass(seconds(20));
  CHECK(world.dialled.size() > 3);
  const std::string lost = world.log_line();
  CHECK(count(lost, "\n") == 2);  // it was closed, and then refused
  CHECK(lost.find("level=warn msg=map_not_connected map=homes detail=") != std::string::npos);

  there = true;
  world.pass(seconds(20));
  const std::string back = world.log_line();
  CHECK(count(back, "\n") == 1);
  CHECK(back.find("level=info msg=map_connected map=homes") != std::string::npos);
}

}  // namespace postern::sim
