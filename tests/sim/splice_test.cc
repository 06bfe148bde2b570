#include <doctest/doctest.h>

#include "tests/sim/scene.h"

namespace postern::sim {

TEST_CASE("bytes pass unchanged, in order and once, however the wire cuts them") {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    std::minstd_rand random(seed);
    World world(config(kImap, kTwoStores));
    log_in(world);
    Peer& store = *world.stores[0];
    std::string to_store, to_client, at_store, at_client;
    for (int round = 0; round < 200; ++round) {
      const auto some = [&random](std::size_t most) { return random() % most; };
      std::string bytes(some(40000), '\0');
      for (char& byte : bytes) byte = static_cast<char>(random());
      (round % 2 == 0 ? to_store : to_client) += bytes;
      (round % 2 == 0 ? world.client : store).send(bytes);
      for (Peer* peer : {&world.client, &store}) {
        peer->read_at_once = 1 + some(20000);
        peer->window = some(30000);
      }
      world.settle();
      at_client += take(world.client);
      at_store += take(store);
    }
    for (Peer* peer : {&world.client, &store}) peer->window = peer->read_at_once = SIZE_MAX;
    world.settle();
    CHECK((at_client + take(world.client)) == to_client);
    CHECK((at_store + take(store)) == to_store);
  }
}

TEST_CASE("a slow reader costs a bounded buffer") {
  World world(config(kImap, kTwoStores));
  log_in(world);
  Peer& store = *world.stores[0];
  world.client.window = 1000;
  store.send(std::string(10'000'000, 'x'));
  world.settle();
  // What has been taken from the store and not been given to the client is what the session holds.
  CHECK(10'000'000 - store.to_session.size() <= 1000 + net::Scratch::kRead);
}

TEST_CASE("the store's last words reach the client before the end") {
  World world(config(kImap, kTwoStores));
  log_in(world);
  world.client.window = 0;
  world.stores[0]->send("* BYE Autologout\r\n");
  world.stores[0]->finish();
  world.settle();
  CHECK_FALSE(world.client.session_finished);
  world.client.window = SIZE_MAX;
  world.settle();
  CHECK(take(world.client) == "* BYE Autologout\r\n");
  CHECK(world.client.session_finished);
  world.client.finish();
  world.settle();
  CHECK(world.over());
  CHECK(world.log_line().find("end=SD") != std::string::npos);
}

TEST_CASE("a goodbye and the end behind it come whole, however the wire cuts them") {
  constexpr std::string_view kGoodbye = "* BYE Logging out\r\nb OK Logout completed\r\n";
  for (std::size_t at_once = 1; at_once <= kGoodbye.size() + 1; ++at_once) {
    for (const std::size_t window : {std::size_t{0}, at_once / 2, SIZE_MAX}) {
      CAPTURE(at_once);
      CAPTURE(window);
      World world(config(kImap, kTwoStores));
      log_in(world);
      world.client.send("b LOGOUT\r\n");
      world.settle();
      world.client.window = window;
      world.stores[0]->read_at_once = at_once;
      world.stores[0]->send(kGoodbye);
      world.stores[0]->finish();
      world.settle();
      CHECK(world.client.session_finished == (window == SIZE_MAX));
      world.client.window = SIZE_MAX;
      world.settle();
      CHECK(take(world.client) == kGoodbye);
      CHECK(world.client.session_finished);
      world.client.finish();
      world.settle();
      CHECK(world.over());
      CHECK(world.log_line().find("bytes_out=" + std::to_string(kGoodbye.size())) != std::string::npos);
    }
  }
}

TEST_CASE("a store that breaks off gives the client what came") {
  World world(config(kImap, kTwoStores));
  log_in(world);
  world.stores[0]->send("* 1 FETCH (BODY[] {100}\r\nabc");
  world.settle();
  world.stores[0]->reset();
  world.settle();
  CHECK(take(world.client) == "* 1 FETCH (BODY[] {100}\r\nabc");
  world.pass(std::chrono::seconds(5));
  CHECK(world.over());
  CHECK(world.log_line().find("fault=store_reset") != std::string::npos);
}

TEST_CASE("each direction ends on its own") {
  World world(config(kImap, kTwoStores));
  log_in(world);
  world.client.send("b FETCH 1:* BODY[]\r\n");
  world.client.finish();
  world.settle();
  CHECK(world.stores[0]->session_finished);
  CHECK_FALSE(world.client.session_finished);
  world.stores[0]->send(std::string(300'000, 'm'));
  world.settle();
  CHECK(take(world.client).size() == 300'000);
  world.stores[0]->finish();
  world.settle();
  CHECK(world.client.session_finished);
  CHECK(world.over());
}

TEST_CASE("bytes are counted both ways, the login's own not") {
  World world(config(kImap, kTwoStores));
  log_in(world);
  world.client.send("b NOOP\r\n");
  world.settle();
  world.stores[0]->send("b OK\r\n");
  world.settle();
  world.client.finish();
  world.settle();
  world.stores[0]->finish();
  world.settle();
  CHECK(world.over());
  const std::string line = world.log_line();
  CHECK(line.find("bytes_in=8 bytes_out=6") != std::string::npos);
  CHECK(line.find("end=CD") != std::string::npos);
}

}  // namespace postern::sim
