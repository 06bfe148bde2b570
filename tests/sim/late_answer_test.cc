#include <doctest/doctest.h>

#include "tests/sim/scene.h"

namespace postern::sim {

namespace {

constexpr std::string_view kNamed = R"(
[pool.store]
forward = []
[pool.store.backends]
s1 = "s1.example.org"
)";

}  // namespace

TEST_CASE("an address that comes after the connect time is thrown away") {
  World world(config(kImap, kNamed, "[pool.store.time]\nconnect = \"2s\"\n"));
  world.names_answer = false;
  greet(world);
  world.client.send(kLogin);
  world.pass(std::chrono::seconds(3));
  CHECK(take(world.client) == "a NO [UNAVAILABLE] Account is temporarily unavailable.\r\n");
  REQUIRE(world.asked.size() == 1);
  world.names["s1.example.org"] = {*Address::parse("192.0.2.1")};
  world.answer_late("s1.example.org", world.asked[0].second);
  world.settle();
  CHECK(world.dialled.empty());
}

TEST_CASE("an answer for an earlier login never reaches a later one") {
  World world(config(kImap, kNamed, "[pool.store.time]\nconnect = \"2s\"\n"));
  world.names_answer = false;
  greet(world);
  world.client.send(kLogin);
  world.pass(std::chrono::seconds(3));
  world.client.send("b LOGIN eve other\r\n");
  world.settle();
  REQUIRE(world.asked.size() == 2);
  world.names["s1.example.org"] = {*Address::parse("192.0.2.1")};
  world.answer_late("s1.example.org", world.asked[0].second);
  world.settle();
  CHECK(world.dialled.empty());
  world.answer_late("s1.example.org", world.asked[1].second);
  world.settle();
  CHECK(world.dialled.size() == 1);
}

TEST_CASE("an answer for a session that has ended is thrown away") {
  World world(config(kImap, kNamed));
  world.names_answer = false;
  greet(world);
  world.client.send(kLogin);
  world.settle();
  world.client.reset();
  world.settle();
  CHECK(world.over());
  world.names["s1.example.org"] = {*Address::parse("192.0.2.1")};
  world.answer_late("s1.example.org", world.asked.at(0).second);
  CHECK(world.dialled.empty());
}

}  // namespace postern::sim
