#include <doctest/doctest.h>

#include "tests/sim/scene.h"

namespace postern::sim {

TEST_CASE("login_time is one deadline from accept on, whatever the client does") {
  World world(config(kImap, kTwoStores, "[limits]\nlogin_time = \"10s\"\n"));
  greet(world);
  for (int second = 0; second < 9; ++second) {
    world.client.send("n NOOP\r\n");
    world.pass(std::chrono::seconds(1));
    CHECK(take(world.client).starts_with("n OK"));
  }
  world.pass(std::chrono::milliseconds(1100));
  CHECK(take(world.client).starts_with("* BYE "));
  CHECK(world.client.session_finished);
  world.pass(std::chrono::seconds(3));
  CHECK(world.over());
  const std::string line = world.log_line();
  CHECK(line.find("end=cG") != std::string::npos);
  CHECK(line.find("fault=login_timeout") != std::string::npos);
}

TEST_CASE("login_time covers the wait for the store, which is refused a moment before it ends") {
  World world(config(kImap, kTwoStores, "[limits]\nlogin_time = \"10s\"\n"));
  greet(world);
  world.client.send(kLogin);
  world.pass(std::chrono::milliseconds(10100));
  CHECK(take(world.client) ==
        "a NO [UNAVAILABLE] Account is temporarily unavailable.\r\n* BYE No login in time.\r\n");
}

TEST_CASE("a refusal is told before login_time is over, however long it should wait") {
  World world(config(kImap, kTwoStores,
                     "[limits]\nlogin_time = \"10s\"\nfailure_delay = \"15s\"\nlogin_attempts = 10\n"));
  ask_to_log_in(world);
  world.stores[0]->send("L NO [AUTHENTICATIONFAILED] no\r\n");
  world.pass(std::chrono::milliseconds(8900));
  CHECK(take(world.client).empty());
  world.pass(std::chrono::milliseconds(200));
  CHECK(take(world.client) == "a NO [AUTHENTICATIONFAILED] Authentication failed.\r\n");
  // In the last second no wait is left.
  world.client.send("b LOGIN bob other\r\n");
  world.settle();
  world.stores.at(1)->send(kGreeting);
  world.settle();
  world.stores[1]->send("L NO [AUTHENTICATIONFAILED] no\r\n");
  world.settle();
  CHECK(take(world.client) == "b NO [AUTHENTICATIONFAILED] Authentication failed.\r\n");
  world.pass(std::chrono::seconds(1));
  CHECK(take(world.client).starts_with("* BYE "));
}

TEST_CASE("silence of both directions together ends a session") {
  World world(config(kImap, kTwoStores, "[limits]\nidle = \"31m\"\n"));
  log_in(world);
  world.pass(std::chrono::minutes(30));
  world.stores[0]->send("* OK still here\r\n");
  world.pass(std::chrono::minutes(30));
  CHECK(take(world.client) == "* OK still here\r\n");
  CHECK_FALSE(world.over());
  world.pass(std::chrono::minutes(2));
  CHECK(take(world.client).starts_with("* BYE "));
  CHECK(world.stores[0]->session_closed);
}

TEST_CASE("a goodbye is never put into the middle of a literal") {
  World world(config(kImap, kTwoStores));
  log_in(world);
  world.stores[0]->send("* 1 FETCH (BODY[] {100}\r\nSubject: x\r\n");
  world.settle();
  take(world.client);
  world.dismiss(Fault::ShuttingDown);
  world.settle();
  CHECK(take(world.client).empty());
  CHECK(world.client.session_finished);
}

TEST_CASE("between two answers the goodbye is said") {
  World world(config(kImap, kTwoStores));
  log_in(world);
  world.stores[0]->send("* 1 FETCH (BODY[] {5}\r\nhello)\r\nb OK done\r\n");
  world.settle();
  take(world.client);
  world.dismiss(Fault::ShuttingDown);
  world.settle();
  CHECK(take(world.client).starts_with("* BYE "));
}

TEST_CASE("a client that never reads its last words does not hold the session") {
  World world(config(kImap, kTwoStores, "[limits]\nlogin_time = \"10s\"\n"));
  greet(world);
  world.client.window = 0;
  world.pass(std::chrono::seconds(16));
  CHECK(world.over());
  CHECK(world.client.session_broke_off);
}

}  // namespace postern::sim
