#include <cerrno>
#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// A login that failed through a store or a service was refused at once and counted as no attempt: one session
// could ask as fast as it could write, and hammer a store that was coming back.

namespace postern::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kService = "[auth]\nby = \"http\"\nhttp.url = \"http://192.0.2.200:9001/\"\n";
constexpr std::string_view kUnavailable = "a NO [UNAVAILABLE] Account is temporarily unavailable.\r\n";

// Nobody accepts a connection; the client has asked to log in.
void ask_in_vain(World& world) {
  world.on_dial = [](Peer& peer, std::size_t) { peer.connect_error = ECONNREFUSED; };
  greet(world);
  world.client.send(kLogin);
  world.settle();
}

}  // namespace

TEST_CASE("a login that fails through a store is refused as late as one with a wrong password") {
  World world(config(kImap, kTwoStores, "[limits]\nfailure_delay = \"2s\"\n"));
  ask_in_vain(world);
  world.pass(milliseconds(1900));
  CHECK(take(world.client).empty());
  world.pass(milliseconds(200));
  CHECK(take(world.client) == kUnavailable);
  world.client.send(kLogin);
  world.pass(milliseconds(1900));
  CHECK(take(world.client).empty());  // it does not grow, and it does not go
  world.pass(milliseconds(200));
  CHECK(take(world.client) == kUnavailable);
  CHECK(world.dialled.size() == 4);
}

TEST_CASE("those who failed together are not told together") {
  World world(config(kImap, kTwoStores, "[limits]\nfailure_delay = \"2s\"\n"));
  world.chance = 1;
  ask_in_vain(world);
  world.pass(milliseconds(2900));
  CHECK(take(world.client).empty());
  world.pass(milliseconds(200));
  CHECK(take(world.client) == kUnavailable);
}

TEST_CASE("a login that fails through a service is refused as late") {
  World world(config(kImap, kTwoStores, std::string(kService) + "[limits]\nfailure_delay = \"2s\"\n"));
  ask_in_vain(world);
  world.pass(milliseconds(1900));
  CHECK(take(world.client).empty());
  world.pass(milliseconds(200));
  CHECK(take(world.client) == kUnavailable);
}

TEST_CASE("a login that took its time is refused at once") {
  World world(config(kImap, kTwoStores, "[pool.store.time]\nconnect = \"2s\"\n"));
  world.on_dial = [](Peer& peer, std::size_t) { peer.connects = false; };
  greet(world);
  world.client.send(kLogin);
  world.pass(milliseconds(3900));
  CHECK(take(world.client).empty());
  world.pass(milliseconds(200));
  CHECK(take(world.client) == kUnavailable);
}

TEST_CASE("a drain does not wait for a refusal") {
  World world(config(kImap, kTwoStores, "[limits]\nfailure_delay = \"1m\"\nfailure_delay_max = \"1m\"\n"));
  ask_in_vain(world);
  world.dismiss(Fault::ShuttingDown);
  world.settle();
  CHECK(take(world.client).starts_with("* BYE "));
}

TEST_CASE("a refusal is told before login_time is over") {
  World world(
      config(kImap, kTwoStores,
             "[limits]\nlogin_time = \"10s\"\nfailure_delay = \"15s\"\nfailure_delay_max = \"15s\"\n"));
  ask_in_vain(world);
  world.pass(milliseconds(9500));
  CHECK(take(world.client) == kUnavailable);
}

}  // namespace postern::sim
