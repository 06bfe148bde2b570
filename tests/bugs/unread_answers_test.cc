#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// A client that sent commands without end and read no answer had all of them kept for it.

namespace postern::sim {

TEST_CASE("a client that does not read is not answered further, and loses nothing") {
  World world(config(kPop3, kTwoStores));
  greet(world);
  world.client.window = 0;
  std::string commands;
  for (int i = 0; i < 200; ++i) commands += "CAPA\r\n";
  world.client.send(commands);
  world.settle();
  CHECK(world.client.received.empty());
  CHECK(world.unwritten > 0);
  CHECK(world.unwritten < 20 * 1024);

  world.client.window = SIZE_MAX;
  world.settle();
  std::size_t answers = 0;
  for (std::size_t at = 0; (at = world.client.received.find("+OK", at)) != std::string::npos; ++at) ++answers;
  CHECK(answers == 200);
  CHECK(world.unwritten == 0);
}

}  // namespace postern::sim
