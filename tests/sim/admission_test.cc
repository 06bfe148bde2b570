#include "proxy/admission.h"

#include <doctest/doctest.h>

#include "tests/sim/scene.h"
#include "tests/unit/tls/authority.h"

namespace postern::sim {

namespace {

std::string start_tls() {
  static const tls::CertificateFiles files = tls::authority().issue({});
  return "[listen.front]\nprotocol = \"imap\"\naddress = [\"127.0.0.1:143\"]\ntls = \"starttls\"\n"
         "[tls]\ncertificates = [{ chain = \"" +
         files.chain + "\", key = \"" + files.key +
         "\" }]\n[[route]]\npool = \"store\"\n[admin]\nhttp = \"\"\n[limits]\nlogin_time = \"10s\"\n" +
         std::string(kTwoStores);
}

// The client stands in line for its handshake.
void wait_in_line(World& world) {
  greet(world);
  world.client.send("a STARTTLS\r\n");
  world.settle();
  CHECK(take(world.client).starts_with("a OK"));
  world.crowd();
  world.client.send("this is not TLS\r\n");
  world.settle();
  CHECK_FALSE(world.over());
}

}  // namespace

TEST_CASE("a turn takes newcomers until its share is used up, and those in line before those that come") {
  using std::chrono::microseconds;
  constexpr auto kHello = Admission::Step::Hello;
  Admission admission;
  CHECK(admission.enter(kHello, {1, 1}));
  admission.spent(Admission::kLeast - microseconds(1));
  CHECK(admission.enter(kHello, {2, 1}));
  admission.spent(microseconds(100));
  CHECK_FALSE(admission.enter(kHello, {3, 1}));
  CHECK_FALSE(admission.enter(kHello, {4, 1}));
  CHECK_FALSE(admission.next());
  CHECK(admission.waiting() == 2);

  admission.turn(microseconds(100));
  CHECK_FALSE(admission.enter(kHello, {5, 1}));
  CHECK(admission.next()->slot == 3);
  admission.spent(Admission::kLeast);
  CHECK_FALSE(admission.next());

  admission.turn(microseconds(100));
  CHECK(admission.next()->slot == 4);
  CHECK(admission.next()->slot == 5);
  CHECK_FALSE(admission.next());
  CHECK(admission.enter(kHello, {6, 1}));
}

TEST_CASE("who is farther on goes first") {
  using Step = Admission::Step;
  Admission admission;
  admission.spent(std::chrono::seconds(1));
  CHECK_FALSE(admission.enter(Step::Hello, {1, 1}));
  CHECK_FALSE(admission.enter(Step::Dial, {2, 1}));
  CHECK_FALSE(admission.enter(Step::Finish, {3, 1}));
  admission.turn({});
  CHECK(admission.enter(Step::Dial, {4, 1}) == false);
  CHECK(admission.next()->slot == 2);
  CHECK(admission.next()->slot == 4);
  CHECK(admission.enter(Step::Dial, {5, 1}));
  CHECK_FALSE(admission.enter(Step::Finish, {6, 1}));
  CHECK(admission.next()->slot == 3);
  CHECK(admission.next()->slot == 6);
  CHECK(admission.next()->slot == 1);
  CHECK_FALSE(admission.next());
}

TEST_CASE("a busy loop gives newcomers a quarter of its time") {
  Admission admission;
  admission.turn(std::chrono::milliseconds(8));
  admission.spent(std::chrono::microseconds(1999));
  CHECK(admission.enter(Admission::Step::Hello, {1, 1}));
  admission.spent(std::chrono::microseconds(1));
  CHECK_FALSE(admission.enter(Admission::Step::Hello, {2, 1}));
}

TEST_CASE("a client in line is read in its turn") {
  World world(start_tls());
  wait_in_line(world);
  world.next_turn();
  world.pass(std::chrono::seconds(5));
  CHECK(world.over());
  CHECK(world.log_line().find("fault=client_tls") != std::string::npos);
}

TEST_CASE("login_time goes on in line, and is not the client's fault there") {
  World world(start_tls());
  wait_in_line(world);
  world.pass(std::chrono::seconds(11));
  CHECK(world.over());
  const std::string line = world.log_line();
  CHECK(line.find("fault=exhausted") != std::string::npos);
  CHECK(line.find("waited in line") != std::string::npos);
}

TEST_CASE("a client that breaks off in line keeps its place, and nobody else's") {
  World world(start_tls());
  wait_in_line(world);
  world.client.reset();
  world.settle();
  world.next_turn();
  world.pass(std::chrono::seconds(5));
  CHECK(world.over());
}

TEST_CASE("a login in line is read in its turn") {
  World world(config(kImap, kTwoStores));
  greet(world);
  world.crowd();
  world.client.send(kLogin);
  world.settle();
  CHECK(world.stores.empty());
  world.next_turn();
  CHECK(world.stores.size() == 1);
}

TEST_CASE("login_time ends a login in line, and the client hears that it is not to blame") {
  World world(config(kImap, kTwoStores, "[limits]\nlogin_time = \"10s\"\n"));
  greet(world);
  world.crowd();
  world.client.send(kLogin);
  world.pass(std::chrono::seconds(11));
  CHECK(take(world.client).starts_with("* BYE [UNAVAILABLE] "));
  CHECK(world.stores.empty());
}

TEST_CASE("a login that its source has let in waits for its turn to be sent to a store") {
  World world(config(kImap, kTwoStores, R"(
[limits]
login_time = "10s"
[auth]
by = "http"
[auth.http]
url = "http://192.0.2.200/auth"
)"));
  greet(world);
  world.client.send(kLogin);
  world.settle();
  REQUIRE(world.stores.size() == 1);
  world.crowd();
  world.stores[0]->send(http_answer("Auth-Status: OK\r\n"));
  world.settle();
  CHECK(world.stores.size() == 1);
  SUBCASE("which comes") {
    world.next_turn();
    CHECK(world.stores.size() == 2);
  }
  SUBCASE("which comes too late") {
    world.pass(std::chrono::milliseconds(9100));
    CHECK(take(world.client) == "a NO [UNAVAILABLE] Account is temporarily unavailable.\r\n");
    CHECK(world.counted().login_faults[static_cast<std::size_t>(Fault::Exhausted)].value() == 1);
    CHECK(world.stores.size() == 1);
  }
}

TEST_CASE("a store that has answered in time is not late because its answer stands in line") {
  World world(config(kImap, kTwoStores));
  ask_to_log_in(world);
  take(*world.stores[0]);
  world.crowd();
  world.stores[0]->send(kStoreOk);
  world.settle();
  CHECK(take(world.client).empty());
  world.pass(std::chrono::seconds(40));
  CHECK(take(world.client) == kClientOk);
  CHECK(world.stores.size() == 1);
}

TEST_CASE("a store that says a little whenever its time is over is late all the same") {
  World world(config(kImap, kTwoStores));
  greet(world);
  world.client.send(kLogin);
  world.settle();
  world.crowd();
  world.stores[0]->send("* OK ");
  const int ticks = std::chrono::minutes(1) / net::TimerWheel::kWidth;
  for (int i = 0; i < ticks && world.stores.size() == 1; ++i) {
    world.stores[0]->send("a");
    world.pass(net::TimerWheel::kWidth);
    if (!world.stores[0]->session_closed) continue;
    CHECK(i > ticks / 4);
    return;
  }
  FAIL("its time has no end");
}

}  // namespace postern::sim
