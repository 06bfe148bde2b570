#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// login_time ends while the login waits for somebody other than the client.

namespace postern::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kTenSeconds =
    "[limits]\nlogin_time = \"10s\"\nfailure_delay = \"0s\"\n[pool.store.time]\nconnect = \"30s\"\n";
constexpr std::string_view kUnavailable = "a NO [UNAVAILABLE] Account is temporarily unavailable.\r\n";

std::uint64_t refused_for(World& world, Fault fault) {
  return world.counted().login_faults[static_cast<std::size_t>(fault)].value();
}

std::uint64_t failures(const World& world) {
  std::uint64_t all = 0;
  for (const pool::Backend& backend : world.snapshot()->pools[0].members->backends()) {
    all += backend.state()->failures;
  }
  return all;
}

// The client asks at once, and hears of the refusal a second before login_time is over.
void check_refused_in_time(World& world, Fault fault) {
  greet(world);
  world.client.send(kLogin);
  world.pass(milliseconds(8900));
  CHECK(take(world.client).empty());
  world.pass(milliseconds(200));
  CHECK(take(world.client) == kUnavailable);
  CHECK(refused_for(world, fault) == 1);
  world.pass(seconds(1));
  CHECK(take(world.client).starts_with("* BYE "));
}

}  // namespace

TEST_CASE("a store that does not accept is named in time") {
  World world(config(kImap, kTwoStores, kTenSeconds));
  world.on_dial = [](Peer& store, std::size_t) { store.connects = false; };
  check_refused_in_time(world, Fault::ConnectTimeout);
  CHECK(world.dialled.size() == 1);
  CHECK(failures(world) == 1);
}

TEST_CASE("a store that does not answer is named in time") {
  World world(config(kImap, kTwoStores, kTenSeconds));
  check_refused_in_time(world, Fault::StoreTimeout);
  CHECK(world.dialled.size() == 1);
  CHECK(failures(world) == 1);
}

TEST_CASE("whoever stands in line until the end is told so, and no store is blamed") {
  World world(
      config(kImap, kTwoStores, std::string(kTenSeconds) + "[pool.store.limits]\npending_logins = 1\n"));
  std::vector<pool::LoginTicket> taken;
  for (const pool::Backend& backend : world.snapshot()->pools[0].members->backends()) {
    taken.push_back(*pool::begin_login(backend));
  }
  check_refused_in_time(world, Fault::NoBackend);
  CHECK(failures(world) == 0);
}

TEST_CASE("a map that does not answer is named in time") {
  World world(mapped("192.0.2.201:6379", "timeout = \"2m\"\n" + std::string(kTenSeconds)));
  check_refused_in_time(world, Fault::LookupUnavailable);
  CHECK(world.counted().maps[0].answers[static_cast<std::size_t>(observe::MapResult::Failed)].value() == 1);
}

TEST_CASE("a source of identities that does not answer is named in time") {
  World world(config(kImap, kTwoStores,
                     std::string(kTenSeconds) + "[auth]\nby = \"http\"\n[auth.http]\n"
                                                "url = \"http://192.0.2.200/auth\"\ntimeout = \"2m\"\n"));
  check_refused_in_time(world, Fault::AuthUnavailable);
  const auto temporary = static_cast<std::size_t>(observe::SourceResult::Temporary);
  CHECK(world.counted().source.answers[temporary].value() == 1);
}

TEST_CASE("a policy service that does not answer has no say, or the last one") {
  const std::string policy =
      std::string(kTenSeconds) +
      "[auth.policy]\nurl = \"http://192.0.2.200/\"\nnonce = \"n\"\ntimeout = \"2m\"\n";
  SUBCASE("the login goes on, with what is left") {
    World world(config(kImap, kTwoStores, policy));
    greet(world);
    world.client.send(kLogin);
    world.pass(milliseconds(9100));
    CHECK(take(world.client).empty());
    REQUIRE(world.stores.size() == 2);
    world.stores[1]->send(kGreeting);
    world.settle();
    CHECK(take(*world.stores[1]).find("LOGIN") != std::string::npos);
  }
  SUBCASE("the login is refused") {
    World world(config(kImap, kTwoStores, policy + "reject_on_failure = true\n"));
    check_refused_in_time(world, Fault::AuthUnavailable);
  }
}

TEST_CASE("a login that comes too late is its client's, and the store has all the time that is left") {
  World world(config(kImap, kTwoStores, kTenSeconds));
  greet(world);
  world.pass(seconds(8));
  world.client.send(kLogin);
  world.pass(milliseconds(1900));
  CHECK(take(world.client).empty());
  SUBCASE("it answers") {
    world.stores[0]->send(kGreeting);
    world.settle();
    world.stores[0]->send(kStoreOk);
    world.settle();
    CHECK(take(world.client) == kClientOk);
  }
  SUBCASE("it does not") {
    world.pass(milliseconds(200));
    CHECK(take(world.client) == "* BYE No login in time.\r\n");
    world.pass(seconds(3));
    REQUIRE(world.over());
    CHECK(world.log_line().find("fault=login_timeout blame=client end=cB") != std::string::npos);
    CHECK(failures(world) == 0);
  }
}

TEST_CASE("a second store with hardly any time left is not blamed for the first") {
  World world(config(kImap, kTwoStores, std::string(kTenSeconds) + "login = \"8s\"\n"));
  greet(world);
  world.client.send(kLogin);
  world.pass(milliseconds(9900));
  CHECK(world.dialled.size() == 2);
  CHECK(take(world.client).empty());
  world.pass(milliseconds(200));
  CHECK(take(world.client).starts_with(kUnavailable));
  CHECK(failures(world) == 1);
  CHECK(refused_for(world, Fault::StoreTimeout) == 1);
  CHECK(refused_for(world, Fault::LoginTimeout) == 0);
}

}  // namespace postern::sim
