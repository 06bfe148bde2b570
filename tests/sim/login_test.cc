#include <doctest/doctest.h>

#include "tests/sim/scene.h"

namespace postern::sim {

TEST_CASE("a login reaches the store, and its answer the client") {
  World world(config(kImap, kTwoStores));
  world.connect();
  world.settle();
  CHECK(take(world.client).starts_with("* OK [CAPABILITY IMAP4rev1 "));
  world.client.send(kLogin);
  world.settle();
  REQUIRE(world.stores.size() == 1);
  CHECK(world.stores[0]->received.empty());  // not a byte before the store has spoken
  world.stores[0]->send(kGreeting);
  world.settle();
  CHECK(take(*world.stores[0]) == "L LOGIN \"bob\" \"secret\"\r\n");
  world.stores[0]->send(kStoreOk);
  world.settle();
  CHECK(take(world.client) == kClientOk);
  world.client.send("b NOOP\r\n");
  world.settle();
  CHECK(take(*world.stores[0]) == "b NOOP\r\n");
}

TEST_CASE("one user goes to one home, from whatever address") {
  std::string home;
  for (const char* from : {"192.0.2.7:1000", "198.51.100.9:2000", "[2001:db8::1]:3000"}) {
    World world(config(kImap, kTwoStores));
    world.connect(from);
    world.client.send(kLogin);
    world.settle();
    REQUIRE(world.dialled.size() == 1);
    if (home.empty()) home = world.dialled[0].to_string();
    CHECK(world.dialled[0].to_string() == home);
  }
}

TEST_CASE("what is pipelined behind the login reaches the store complete, in order and once") {
  World world(config(kImap, kTwoStores));
  greet(world);
  world.client.send("a LOGIN bob secret\r\nb SELECT INBOX\r\nc APPEND x {5}\r\n");
  world.settle();
  world.stores[0]->send(kGreeting);
  world.settle();
  CHECK(take(*world.stores[0]) == "L LOGIN \"bob\" \"secret\"\r\n");
  world.client.send("hello");
  world.settle();
  CHECK(take(*world.stores[0]).empty());
  world.stores[0]->send(kStoreOk);
  world.settle();
  CHECK(take(*world.stores[0]) == "b SELECT INBOX\r\nc APPEND x {5}\r\nhello");
}

TEST_CASE("bytes that the store sends behind its answer reach the client behind ours") {
  World world(config(kImap, kTwoStores));
  ask_to_log_in(world);
  world.stores[0]->send(std::string(kStoreOk) + "* 1 EXISTS\r\n");
  world.settle();
  CHECK(take(world.client) == std::string(kClientOk) + "* 1 EXISTS\r\n");
}

TEST_CASE("refused credentials wait, the client stays and may try again") {
  World world(config(kImap, kTwoStores, "[limits]\nfailure_delay = \"2s\"\n"));
  ask_to_log_in(world);
  world.stores[0]->send("L NO [AUTHENTICATIONFAILED] no such user bob\r\n");
  world.settle();
  CHECK(world.stores[0]->session_closed);  // a connection is never used for a second login
  CHECK(take(world.client).empty());
  world.pass(std::chrono::milliseconds(1900));
  CHECK(take(world.client).empty());
  world.pass(std::chrono::milliseconds(200));
  CHECK(take(world.client) == "a NO [AUTHENTICATIONFAILED] Authentication failed.\r\n");
  world.client.send("b LOGIN bob right\r\n");
  world.settle();
  REQUIRE(world.stores.size() == 2);
  world.stores[1]->send(kGreeting);
  world.settle();
  world.stores[1]->send(kStoreOk);
  world.settle();
  CHECK(take(world.client) == "b OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS] in\r\n");
}

TEST_CASE("the last attempt ends the session with a goodbye") {
  World world(config(kImap, kTwoStores, "[limits]\nlogin_attempts = 1\n"));
  ask_to_log_in(world);
  world.stores[0]->send("L NO no\r\n");
  world.pass(std::chrono::seconds(3));
  const std::string said = take(world.client);
  CHECK(said.starts_with("a NO [AUTHENTICATIONFAILED] Authentication failed.\r\n* BYE "));
  CHECK(world.client.session_finished);
  world.client.finish();
  world.settle();
  CHECK(world.over());
  const std::string line = world.log_line();
  CHECK(line.find("fault=bad_credentials") != std::string::npos);
  CHECK(line.find("secret") == std::string::npos);
}

TEST_CASE("a user without a route reads what a wrong password reads") {
  World world(R"(
[listen.front]
protocol = "imap"
address = ["127.0.0.1:993"]
tls = "none"
[[route]]
user = "*@example.org"
pool = "store"
[admin]
http = ""
)" + std::string(kTwoStores));
  greet(world);
  world.client.send(kLogin);
  world.pass(std::chrono::seconds(3));
  CHECK(take(world.client) == "a NO [AUTHENTICATIONFAILED] Authentication failed.\r\n");
  CHECK(world.dialled.empty());
}

TEST_CASE("the limit of sessions per user is counted when the store has accepted") {
  World world(config(kImap, kTwoStores, "[limits]\nsessions_per_user = 1\n"));
  auto other = world.limits().enter("bob");
  REQUIRE(other.has_value());
  ask_to_log_in(world);
  world.stores[0]->send(kStoreOk);
  world.settle();
  CHECK(take(world.client).starts_with("a NO [LIMIT] "));
  CHECK(world.stores[0]->session_closed);
}

TEST_CASE("POP3: a login, pipelined commands and the store's own words") {
  World world(config(kPop3, kTwoStores));
  greet(world);
  world.client.send("USER bob\r\nPASS a b \r\nSTAT\r\nQUIT\r\n");
  world.settle();
  CHECK(take(world.client).starts_with("+OK"));
  REQUIRE(world.stores.size() == 1);
  world.stores[0]->send("+OK ready\r\n");
  world.settle();
  CHECK(take(*world.stores[0]) == "USER bob\r\n");
  world.stores[0]->send("+OK\r\n");
  world.settle();
  CHECK(take(*world.stores[0]) == "PASS a b \r\n");
  world.stores[0]->send("+OK 3 messages\r\n");
  world.settle();
  CHECK(take(world.client) == "+OK 3 messages\r\n");
  CHECK(take(*world.stores[0]) == "STAT\r\nQUIT\r\n");
}

}  // namespace postern::sim
