#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// A reload that was refused in the end, since an address could not be bound, had already made forget what the
// stores had told: clients were shown a bare list of capabilities until the next checks.

namespace postern::sim {

namespace {

std::string with_stores(std::string_view names) {
  std::string stores = "[pool.store]\nforward = []\n[pool.store.backends]\n";
  for (const char name : names) stores += std::string(1, name) + " = \"192.0.2.101\"\n";
  return config(kImap, stores);
}

std::string greeting(World& world) {
  world.client = Peer();
  world.connect();
  world.settle();
  return take(world.client);
}

}  // namespace

TEST_CASE("a reload that is refused leaves what the stores have told") {
  World world(with_stores("a"));
  const pool::Backend& store = world.snapshot()->pools[0].members->backends()[0];
  world.snapshot()->capabilities->learn(store, Protocol::Imap, "IMAP4rev1 XTOLD");

  world.refuse_reload(with_stores("b"));
  CHECK(greeting(world).find("XTOLD") != std::string::npos);
  world.client.finish();
  world.settle();
  REQUIRE(world.over());

  world.reload(with_stores("b"));
  CHECK(greeting(world).find("XTOLD") == std::string::npos);
}

}  // namespace postern::sim
