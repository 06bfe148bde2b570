#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// Logins whose client left, or had come too late, were in no count of logins.

namespace postern::sim {

namespace {

std::uint64_t logins(World& world, observe::LoginResult result) {
  const auto& of_mechanism = world.counted().of(Protocol::Imap).logins;
  return of_mechanism[static_cast<std::size_t>(Mechanism::Command)][static_cast<std::size_t>(result)].value();
}

std::uint64_t all_logins(World& world) {
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < observe::kLoginResults; ++i)
    all += logins(world, static_cast<observe::LoginResult>(i));
  return all;
}

}  // namespace

TEST_CASE("a login that ends with its session is counted by what ended it") {
  World world(config(kImap, kTwoStores, "[limits]\nlogin_time = \"10s\"\n"));
  greet(world);
  SUBCASE("the client leaves") {
    world.client.send(kLogin);
    world.settle();
    world.client.reset();
    world.settle();
    CHECK(logins(world, observe::LoginResult::Client) == 1);
  }
  SUBCASE("the client has come too late") {
    world.pass(std::chrono::seconds(9));
    world.client.send(kLogin);
    world.pass(std::chrono::seconds(4));
    CHECK(logins(world, observe::LoginResult::Client) == 1);
  }
  SUBCASE("Postern goes") {
    world.client.send(kLogin);
    world.settle();
    world.dismiss(Fault::ShuttingDown);
    world.pass(std::chrono::seconds(3));
    CHECK(logins(world, observe::LoginResult::Temporary) == 1);
  }
  CHECK(world.over());
  CHECK(all_logins(world) == 1);
}

TEST_CASE("a login that was refused is counted once, whenever the client leaves") {
  World world(config(kImap, kTwoStores));
  ask_to_log_in(world);
  world.stores[0]->send("L NO [AUTHENTICATIONFAILED] no\r\n");
  world.settle();
  SUBCASE("before it is told") {}
  SUBCASE("after") { world.pass(std::chrono::seconds(4)); }
  world.client.reset();
  world.settle();
  CHECK(world.over());
  CHECK(logins(world, observe::LoginResult::Credentials) == 1);
  CHECK(all_logins(world) == 1);
}

}  // namespace postern::sim
