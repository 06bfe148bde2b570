#include <doctest/doctest.h>

#include "tests/sim/scene.h"
#include "tests/temporary_directory.h"

// A reload while a login waits for a service that it replaces. The map is in a Redis that is played here.

namespace postern::sim {

namespace {

using std::chrono::seconds;

std::string with_redis(std::string_view address) {
  return mapped(address, "timeout = \"2m\"\n[limits]\nlogin_time = \"5m\"\n");
}

}  // namespace

TEST_CASE("a service that a reload replaced goes when nobody waits for it, after a moment for reports") {
  World world(with_redis("192.0.2.201:6379"));
  world.settle();
  REQUIRE(world.dialled.size() == 1);
  world.reload(with_redis("192.0.2.202:6379"));
  world.pass(seconds(29));
  CHECK(world.dialled.size() == 2);
  CHECK_FALSE(world.stores[0]->session_closed);
  world.pass(seconds(2));
  CHECK(world.stores[0]->session_closed);
  CHECK_FALSE(world.stores[1]->session_closed);
}

TEST_CASE("a service that a reload replaced stays as long as a login waits for it") {
  World world(with_redis("192.0.2.201:6379"));
  greet(world);
  world.client.send(kLogin);
  world.settle();
  Peer& redis = *world.stores[0];
  CHECK(redis.received.find("postern:user:bob") != std::string::npos);
  world.reload(with_redis("192.0.2.202:6379"));
  world.pass(seconds(60));
  REQUIRE_FALSE(redis.session_closed);
  redis.send("$5\r\nstore\r\n");
  world.settle();
  REQUIRE(world.dialled.size() == 3);
  CHECK(world.dialled[2].to_string() == "192.0.2.101:143");
  world.pass(seconds(1));
  CHECK(redis.session_closed);
}

TEST_CASE("a service that a reload did not change goes on") {
  World world(with_redis("192.0.2.201:6379"));
  world.settle();
  world.reload(with_redis("192.0.2.201:6379"));
  world.pass(seconds(40));
  CHECK(world.dialled.size() == 1);
  CHECK_FALSE(world.stores[0]->session_closed);
}

TEST_CASE("a reload keeps a map's file that has not changed, and reads the one that has") {
  const TemporaryDirectory directory;
  const std::string file = directory.write("homes", "ann store\n");
  const std::string toml = mapped("[map.homes]\nfile = \"" + file + "\"\n");
  World world(toml);
  const auto before = world.snapshot();  // as a session keeps it
  world.reload(toml);
  CHECK(world.snapshot() != before);
  CHECK(world.snapshot()->maps[0].file == before->maps[0].file);
  directory.write("homes", "ann store\nbob store\n");
  world.reload(toml);
  CHECK(world.snapshot()->maps[0].file != before->maps[0].file);
  CHECK(world.snapshot()->maps[0].file->get()->size() == 2);
}

}  // namespace postern::sim
