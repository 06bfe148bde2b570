#include <doctest/doctest.h>

#include "tests/sim/scene.h"

namespace postern::sim {

namespace {

// The stations of a login, each with what brings the session there.
const std::vector<std::pair<const char*, std::function<void(World&)>>> kStations = {
    {"greeted", [](World& world) { greet(world); }},
    {"half a command", [](World& world) { world.client.send("a LOG"); }},
    {"connecting", [](World& world) { world.client.send("IN bob secret\r\n"); }},
    {"store silent", [](World& world) { world.stores.at(0)->connects = true; }},
    {"store greeted", [](World& world) { world.stores.at(0)->send(kGreeting); }},
    {"logged in", [](World& world) { world.stores.at(0)->send(kStoreOk); }},
    {"busy", [](World& world) { world.client.send("b FETCH 1 BODY[]\r\n"); }},
    {"in a literal", [](World& world) { world.stores.at(0)->send("* 1 FETCH (BODY[] {100}\r\nabc"); }},
};

void go_to(World& world, std::size_t station) {
  world.on_dial = [](Peer& store, std::size_t) { store.connects = false; };
  for (std::size_t i = 0; i <= station; ++i) {
    kStations[i].second(world);
    world.settle();
  }
}

}  // namespace

TEST_CASE("a client that vanishes in any phase takes its connection to the store with it") {
  for (std::size_t station = 0; station < kStations.size(); ++station) {
    for (const bool reset : {true, false}) {
      CAPTURE(kStations[station].first);
      CAPTURE(reset);
      World world(config(kImap, kTwoStores));
      go_to(world, station);
      if (reset) {
        world.client.reset();
      } else {
        world.client.finish();
      }
      world.settle();
      // The store answers the end of our direction with its own.
      if (!world.stores.empty() && world.stores[0]->session_finished) world.stores[0]->finish();
      world.pass(std::chrono::seconds(5));
      CHECK(world.over());
      for (const auto& store : world.stores) CHECK(store->session_closed);
      CHECK(world.client.session_closed);
      CHECK(world.counted().of(Protocol::Imap).prelogin.value() == 0);
      CHECK(world.counted().of(Protocol::Imap).spliced.value() == 0);
      CHECK(world.limits().size().addresses == 0);
      CHECK(world.limits().size().users == 0);
      for (const pool::Backend& backend : world.snapshot()->pools[0].members->backends()) {
        CHECK(backend.sessions() == 0);
        CHECK(backend.pending_logins() == 0);
      }
      const std::string line = world.log_line();
      CHECK(line.find("msg=session ") != std::string::npos);
      CHECK(line.find("secret") == std::string::npos);
    }
  }
}

TEST_CASE("an end at once in any phase frees everything") {
  for (std::size_t station = 0; station < kStations.size(); ++station) {
    CAPTURE(kStations[station].first);
    World world(config(kImap, kTwoStores));
    go_to(world, station);
    world.dismiss(Fault::ShuttingDown);
    world.settle();
    world.client.finish();
    world.pass(std::chrono::seconds(8));
    CHECK(world.over());
    for (const auto& store : world.stores) CHECK(store->session_closed);
    CHECK(world.limits().size().addresses == 0);
  }
}

TEST_CASE("a client that pipelines everything and ends its direction is served to the end") {
  World world(config(kImap, kTwoStores));
  greet(world);
  world.client.send("a LOGIN bob secret\r\nb LOGOUT\r\n");
  world.client.finish();
  world.settle();
  world.stores[0]->send(kGreeting);
  world.settle();
  take(*world.stores[0]);
  world.stores[0]->send(kStoreOk);
  world.settle();
  CHECK(take(*world.stores[0]) == "b LOGOUT\r\n");
  CHECK(world.stores[0]->session_finished);
  world.stores[0]->send("* BYE\r\nb OK\r\n");
  world.stores[0]->finish();
  world.settle();
  CHECK(take(world.client) == std::string(kClientOk) + "* BYE\r\nb OK\r\n");
  CHECK(world.over());
  CHECK(world.log_line().find("end=--") != std::string::npos);
}

}  // namespace postern::sim
