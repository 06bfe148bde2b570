#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// What is counted of those whom logins are asked about. They are played here, byte for byte.

namespace postern::sim {

namespace {

using std::chrono::milliseconds;

constexpr std::string_view kHttp = R"(
[limits]
failure_delay = "0s"
[auth]
by = "http"
[auth.http]
url = "http://192.0.2.200/auth"
timeout = "3s"
)";

std::uint64_t answers(World& world, observe::SourceResult result) {
  return world.counted().source.answers[static_cast<std::size_t>(result)].value();
}

std::uint64_t answers(World& world, observe::MapResult result) {
  return world.counted().maps[0].answers[static_cast<std::size_t>(result)].value();
}

// Observed durations in the bucket that ends with 50 ms.
std::uint64_t about_40_ms(const observe::Histogram& histogram) { return histogram.count(6); }

}  // namespace

TEST_CASE("a source's answers are counted by what they mean, with their time") {
  World world(config(kImap, kTwoStores, kHttp));
  greet(world);
  world.client.send(kLogin);
  world.settle();
  const observe::SourceMetrics& source = world.counted().source;
  CHECK(source.waiting.value() == 1);
  SUBCASE("accepted") {
    world.pass(milliseconds(40));
    world.stores[0]->send(http_answer("Auth-Status: OK\r\n"));
    world.settle();
    CHECK(answers(world, observe::SourceResult::Accepted) == 1);
    CHECK(about_40_ms(source.wait) == 1);
  }
  SUBCASE("refused") {
    world.stores[0]->send(http_answer("Auth-Status: no\r\nAuth-Wait: 1\r\n"));
    world.settle();
    CHECK(answers(world, observe::SourceResult::Refused) == 1);
  }
  SUBCASE("silent") {
    world.pass(milliseconds(3100));
    CHECK(answers(world, observe::SourceResult::Temporary) == 1);
  }
  SUBCASE("the client left") {
    world.client.reset();
    world.settle();
    CHECK(world.over());
    CHECK(answers(world, observe::SourceResult::Temporary) == 0);
  }
  CHECK(source.waiting.value() == 0);
}

TEST_CASE("a map's answers are counted, and those of its cache") {
  World world(mapped("192.0.2.201:6379", "timeout = \"2s\"\n[map.homes.cache]\nfound = \"30s\"\n"));
  greet(world);
  world.client.send(kLogin);
  world.settle();
  Peer& redis = *world.stores[0];
  SUBCASE("found, and again from the cache") {
    redis.send("$5\r\nstore\r\n");
    world.settle();
    CHECK(answers(world, observe::MapResult::Found) == 1);
    CHECK(world.counted().maps[0].cache_hits.value() == 0);
    world.stores[1]->send(kGreeting);
    world.settle();
    world.stores[1]->send("L NO [UNAVAILABLE] later\r\n");
    world.pass(std::chrono::milliseconds(2100));
    world.client.send("b LOGIN bob secret\r\n");
    world.settle();
    CHECK(answers(world, observe::MapResult::Found) == 2);
    CHECK(world.counted().maps[0].cache_hits.value() == 1);
  }
  SUBCASE("not found") {
    redis.send("$-1\r\n");
    world.settle();
    CHECK(answers(world, observe::MapResult::NotFound) == 1);
  }
  SUBCASE("failed") {
    redis.send("$3\r\n?/?\r\n");
    world.settle();
    CHECK(answers(world, observe::MapResult::Failed) == 1);
  }
  SUBCASE("stale") {
    redis.send("$5\r\nstore\r\n");
    world.settle();
    world.stores[1]->send("* BYE no\r\n");
    world.stores[1]->finish();
    world.pass(std::chrono::seconds(31));
    redis.reset();
    world.on_dial = [](Peer& peer, std::size_t) { peer.connects = false; };
    world.pass(milliseconds(10));
    world.client.send("b LOGIN bob secret\r\n");
    world.settle();
    CHECK(answers(world, observe::MapResult::Stale) == 1);
    CHECK(world.counted().maps[0].cache_hits.value() == 0);
  }
}

}  // namespace postern::sim
