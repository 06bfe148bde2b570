#include <cerrno>
#include <doctest/doctest.h>

#include "parsers/base64.h"
#include "parsers/sasl.h"
#include "tests/sim/scene.h"

namespace postern::sim {

namespace {

void finish_login(World& world, std::size_t store) {
  world.stores[store]->send(kGreeting);
  world.settle();
  world.stores[store]->send(kStoreOk);
  world.settle();
}

}  // namespace

TEST_CASE("a backend that fails before it has the credentials is replaced and the client sees nothing") {
  struct Row {
    const char* what;
    std::function<void(World&)> fail;
  };
  const Row rows[] = {
      {"refused",
       [](World& world) {
         world.on_dial = [](Peer& store, std::size_t n) { store.connect_error = n == 0 ? ECONNREFUSED : 0; };
       }},
      {"no connection in time",
       [](World& world) { world.on_dial = [](Peer& store, std::size_t n) { store.connects = n != 0; }; }},
      {"no local port", [](World& world) { world.dial_error = EADDRNOTAVAIL; }},
      {"closed before its greeting",
       [](World& world) {
         world.on_dial = [](Peer& store, std::size_t n) {
           if (n == 0) store.finish();
         };
       }},
      {"reset before its greeting",
       [](World& world) {
         world.on_dial = [](Peer& store, std::size_t n) {
           if (n == 0) store.reset();
         };
       }},
      {"BYE",
       [](World& world) {
         world.on_dial = [](Peer& store, std::size_t n) {
           if (n == 0) store.send("* BYE full\r\n");
         };
       }},
      {"no IMAP",
       [](World& world) {
         world.on_dial = [](Peer& store, std::size_t n) {
           if (n == 0) store.send("HTTP/1.1 400 Bad\r\n");
         };
       }},
      {"endless line",
       [](World& world) {
         world.on_dial = [](Peer& store, std::size_t n) {
           if (n == 0) store.send(std::string(100000, 'x'));
         };
       }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    World world(config(kImap, kTwoStores));
    row.fail(world);
    greet(world);
    world.client.send(kLogin);
    world.pass(std::chrono::seconds(6));
    REQUIRE(world.dialled.size() == 2);
    CHECK(world.dialled[0] != world.dialled[1]);
    finish_login(world, world.stores.size() - 1);
    CHECK(take(world.client) == kClientOk);
  }
}

TEST_CASE("a mute store costs its login time and is replaced") {
  World world(config(kImap, kTwoStores, "[pool.store.time]\nlogin = \"10s\"\n"));
  greet(world);
  world.client.send(kLogin);
  world.pass(std::chrono::seconds(9));
  CHECK(world.dialled.size() == 1);
  world.pass(std::chrono::seconds(2));
  REQUIRE(world.dialled.size() == 2);
  finish_login(world, 1);
  CHECK(take(world.client) == kClientOk);
}

TEST_CASE("a store that drips is held to one deadline, not to one per byte") {
  World world(config(kImap, kTwoStores, "[pool.store.time]\nlogin = \"10s\"\n"));
  greet(world);
  world.client.send(kLogin);
  world.settle();
  for (const char byte : std::string_view("* OK ready and")) {
    world.stores[0]->send(std::string(1, byte));
    world.pass(std::chrono::seconds(1));
  }
  CHECK(world.dialled.size() == 2);
}

TEST_CASE("after the credentials were sent, a lost connection is not tried elsewhere") {
  World world(config(kImap, kTwoStores, kAtOnce));
  ask_to_log_in(world);
  world.stores[0]->finish();
  world.settle();
  CHECK(world.dialled.size() == 1);
  CHECK(take(world.client) == "a NO [UNAVAILABLE] Account is temporarily unavailable.\r\n");
  CHECK_FALSE(world.over());
}

TEST_CASE("a BYE behind the credentials is not asked about elsewhere, unless it says UNAVAILABLE") {
  World world(config(kImap, kTwoStores, kAtOnce));
  ask_to_log_in(world);
  SUBCASE("without a code it may be about the password") {
    world.stores[0]->send("* BYE Input buffer full, aborting\r\n");
    world.stores[0]->finish();
    world.settle();
    CHECK(world.dialled.size() == 1);
    CHECK(take(world.client) == "a NO [UNAVAILABLE] Account is temporarily unavailable.\r\n");
  }
  SUBCASE("with it the store can't serve now") {
    world.stores[0]->send("* BYE [UNAVAILABLE] going down\r\n");
    world.stores[0]->finish();
    world.settle();
    CHECK(world.dialled.size() == 2);
  }
}

TEST_CASE("an alert in the place of a wrong password is one, and a guess waits as long") {
  World world(config(kImap, kTwoStores, "[limits]\nfailure_delay = \"2s\"\n"));
  ask_to_log_in(world);
  world.stores[0]->send("L NO [ALERT] Three tries are left.\r\n");
  world.pass(std::chrono::seconds(1));
  CHECK(take(world.client).empty());
  world.pass(std::chrono::seconds(3));
  CHECK(take(world.client) == "a NO [ALERT] Three tries are left.\r\n");
}

TEST_CASE("a password that is too long for the store is the client's, whatever the number of tries") {
  const std::string password(1100, 'p');
  SUBCASE("IMAP") {
    World world(config(kImap, kTwoStores));
    greet(world);
    for (int i = 0; i < 10; ++i) {
      world.client.send("a LOGIN bob " + password + "\r\n");
      world.settle();
      world.stores.back()->send(kGreeting);
      world.settle();
      CHECK(take(world.client) == "a NO Password or token is too long for the mail store.\r\n");
      CHECK(take(*world.stores.back()).empty());
    }
    CHECK(world.dialled.size() == 10);
    for (const pool::Backend& backend : world.snapshot()->pools[0].members->backends()) {
      CHECK(backend.state()->failures == 0);
      CHECK(backend.health().usable(Time(std::chrono::hours(1))));
    }
  }
  SUBCASE("POP3") {
    World world(config(kPop3, kTwoStores));
    greet(world);
    world.client.send("AUTH PLAIN\r\n");
    world.settle();
    world.client.send(encode_base64(write_plain("", "bob", password).reveal()).reveal());
    world.client.send("\r\n");
    world.settle();
    world.stores[0]->send("+OK ready\r\n");
    world.settle();
    CHECK(take(*world.stores[0]) == "CAPA\r\n");
    world.stores[0]->send("+OK\r\nUSER\r\n.\r\n");
    world.settle();
    CHECK(take(world.client) == "+ \r\n-ERR [AUTH] Password or token is too long for the mail store.\r\n");
    CHECK(world.dialled.size() == 1);
  }
}

TEST_CASE("a store that says itself that it can't serve now is replaced") {
  World world(config(kImap, kTwoStores));
  ask_to_log_in(world);
  world.stores[0]->send("L NO [UNAVAILABLE] disk is away\r\n");
  world.settle();
  REQUIRE(world.dialled.size() == 2);
  finish_login(world, 1);
  CHECK(take(world.client) == kClientOk);
}

TEST_CASE("when all are down the client is told so, in the words of the last") {
  World world(config(kImap, kTwoStores, kAtOnce));
  world.on_dial = [](Peer& store, std::size_t) { store.connect_error = ECONNREFUSED; };
  greet(world);
  world.client.send(kLogin);
  world.settle();
  CHECK(world.dialled.size() == 2);
  CHECK(take(world.client) == "a NO [UNAVAILABLE] Account is temporarily unavailable.\r\n");
  CHECK_FALSE(world.over());
}

TEST_CASE("a retry is a backend that was tried after another, not a failure") {
  struct Row {
    std::string_view stores;
    unsigned retries;
  };
  constexpr std::string_view kOneStore =
      "[pool.store]\nforward = []\n[pool.store.backends]\ns1 = \"192.0.2.101\"\n";
  for (const Row& row : {Row{kOneStore, 0}, Row{kTwoStores, 1}}) {
    World world(config(kImap, row.stores));
    world.on_dial = [](Peer& store, std::size_t) { store.connect_error = ECONNREFUSED; };
    greet(world);
    world.client.send(kLogin);
    world.settle();
    CHECK(world.counted().pools[0].retries.value() == row.retries);
    world.client.reset();
    world.settle();
    REQUIRE(world.over());
    CHECK(world.log_line().find("retries=" + std::to_string(row.retries) + " ") != std::string::npos);
  }
}

TEST_CASE("partitioned data: nobody but the home is asked") {
  World world(config(kImap, R"(
[pool.store]
forward = []
data = "partitioned"
[pool.store.backends]
s1 = "192.0.2.101"
s2 = "192.0.2.102"
)",
                     kAtOnce));
  world.on_dial = [](Peer& store, std::size_t) { store.connect_error = ECONNREFUSED; };
  greet(world);
  world.client.send(kLogin);
  world.settle();
  CHECK(world.dialled.size() == 1);
  CHECK(take(world.client) == "a NO [UNAVAILABLE] Account is temporarily unavailable.\r\n");
}

TEST_CASE("a name with several addresses is tried address by address") {
  World world(config(kImap, R"(
[pool.store]
forward = []
[pool.store.backends]
s1 = "s1.example.org"
)"));
  world.names["s1.example.org"] = {*Address::parse("192.0.2.1"), *Address::parse("192.0.2.2")};
  world.on_dial = [](Peer& store, std::size_t n) { store.connect_error = n == 0 ? EHOSTUNREACH : 0; };
  greet(world);
  world.client.send(kLogin);
  world.pass(std::chrono::milliseconds(100));
  REQUIRE(world.dialled.size() == 2);
  CHECK(world.dialled[0].to_string() == "192.0.2.1:143");
  CHECK(world.dialled[1].to_string() == "192.0.2.2:143");
  finish_login(world, 1);
  CHECK(take(world.client) == kClientOk);
}

TEST_CASE("a name without an address is an outage, never a wrong password") {
  World world(config(kImap, R"(
[pool.store]
[pool.store.backends]
s1 = "s1.example.org"
)",
                     kAtOnce));
  greet(world);
  world.client.send(kLogin);
  world.pass(std::chrono::milliseconds(100));
  CHECK(take(world.client) == "a NO [UNAVAILABLE] Account is temporarily unavailable.\r\n");
}

TEST_CASE("a backend that is a listener of ours is a loop, and is not dialled") {
  World world(config(kImap, R"(
[pool.store]
imap_port = 993
[pool.store.backends]
s1 = "127.0.0.1"
)"));
  greet(world);
  world.client.send(kLogin);
  world.settle();
  CHECK(world.dialled.empty());
  CHECK(take(world.client).starts_with("a NO [SERVERBUG] "));
}

TEST_CASE("logins beyond the store's line wait for a place, and get it") {
  World world(config(kImap, kTwoStores, "[pool.store.limits]\npending_logins = 1\n"));
  std::vector<pool::LoginTicket> taken;
  for (const pool::Backend& backend : world.snapshot()->pools[0].members->backends()) {
    auto ticket = pool::begin_login(backend);
    REQUIRE(ticket.has_value());
    taken.push_back(std::move(*ticket));
  }
  greet(world);
  world.client.send(kLogin);
  world.pass(std::chrono::seconds(2));
  CHECK(world.dialled.empty());
  taken.clear();
  world.pass(std::chrono::milliseconds(100));
  REQUIRE(world.dialled.size() == 1);
  finish_login(world, 0);
  CHECK(take(world.client) == kClientOk);
}

}  // namespace postern::sim
