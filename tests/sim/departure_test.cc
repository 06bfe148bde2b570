#include <doctest/doctest.h>

#include "proxy/departures.h"
#include "tests/sim/scene.h"

namespace postern::sim {

namespace {

// A session is at work, and so many others leave that its end has to wait.
void begin_exodus(World& world) {
  log_in(world);
  world.exodus();
}

}  // namespace

TEST_CASE("a turn works through a few ends, and those in line before those that come") {
  Departures departures;
  for (unsigned i = 0; i < Departures::kAtOnce; ++i) CHECK(departures.enter({i, 1}));
  CHECK_FALSE(departures.enter({100, 1}));
  CHECK_FALSE(departures.enter({101, 1}));
  CHECK_FALSE(departures.next());
  CHECK(departures.waiting() == 2);

  departures.turn();
  CHECK_FALSE(departures.enter({102, 1}));
  CHECK(departures.next()->slot == 100);
  CHECK(departures.next()->slot == 101);
  CHECK(departures.next()->slot == 102);
  CHECK_FALSE(departures.next());
  CHECK(departures.enter({103, 1}));
}

TEST_CASE("while a client's end stands in line, it still gets what its store says") {
  World world(config(kImap, kTwoStores));
  begin_exodus(world);
  world.client.send("b FETCH 1 BODY[]\r\n");
  world.client.finish();
  world.settle();
  CHECK(take(*world.stores[0]).find("b FETCH 1 BODY[]\r\n") != std::string::npos);
  CHECK_FALSE(world.stores[0]->session_finished);
  world.stores[0]->send("b OK\r\n");
  world.settle();
  CHECK(take(world.client) == "b OK\r\n");

  world.next_turn();
  CHECK(world.stores[0]->session_finished);
  world.stores[0]->finish();
  world.settle();
  CHECK(world.over());
  CHECK(world.log_line().find("end=CD") != std::string::npos);
}

TEST_CASE("while a store's end stands in line, its words do not") {
  World world(config(kImap, kTwoStores));
  begin_exodus(world);
  world.client.send("b LOGOUT\r\n");
  world.settle();
  world.stores[0]->send("* BYE\r\nb OK\r\n");
  world.stores[0]->finish();
  world.settle();
  CHECK(take(world.client) == "* BYE\r\nb OK\r\n");
  CHECK_FALSE(world.client.session_finished);

  world.next_turn();
  CHECK(world.client.session_finished);
  world.client.finish();
  world.settle();
  CHECK(world.over());
  CHECK(world.log_line().find("end=--") != std::string::npos);
}

TEST_CASE("what a client sends to a store whose end stands in line is no fault of the store") {
  World world(config(kImap, kTwoStores));
  begin_exodus(world);
  world.stores[0]->send("* BYE Autologout\r\n");
  world.stores[0]->finish();
  world.settle();
  take(*world.stores[0]);
  world.client.send("b NOOP\r\n");
  world.settle();
  CHECK(take(*world.stores[0]).empty());

  world.next_turn();
  CHECK(world.client.session_finished);
  world.client.finish();
  world.settle();
  CHECK(world.over());
  const std::string line = world.log_line();
  CHECK(line.find("end=SD") != std::string::npos);
  CHECK(line.find("fault=") == std::string::npos);
}

TEST_CASE("both ends are dealt with in one turn") {
  World world(config(kImap, kTwoStores));
  begin_exodus(world);
  world.client.finish();
  world.stores[0]->finish();
  world.settle();
  CHECK_FALSE(world.over());
  world.next_turn();
  CHECK(world.over());
}

TEST_CASE("a session that is dismissed in line says its goodbye") {
  World world(config(kImap, kTwoStores));
  begin_exodus(world);
  world.client.finish();
  world.settle();
  world.dismiss(Fault::ShuttingDown);
  world.settle();
  CHECK(take(world.client).starts_with("* BYE"));
  world.next_turn();
  world.pass(std::chrono::seconds(3));
  CHECK(world.over());
}

}  // namespace postern::sim
