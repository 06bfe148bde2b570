#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// A store that refuses a token says why in a challenge, which the client has to answer first (RFC 7628
// §3.2.3).

namespace postern::sim {

namespace {

constexpr std::string_view kTokens = R"(
[auth]
mechanisms = ["plain", "xoauth2"]
[limits]
login_time = "60s"
failure_delay = "0s"
[pool.store.time]
login = "10s"
[pool.store.limits]
pending_logins = 1
)";

constexpr std::string_view kTokenLogin =
    "a AUTHENTICATE XOAUTH2 dXNlcj1ib2IBYXV0aD1CZWFyZXIgdG9rZW4BAQ==\r\n";  // bob, token
constexpr std::string_view kTokenGreeting = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] ready\r\n";
constexpr std::string_view kError = "+ e30=\r\n";

struct Challenged {
  World world{config(kImap, kTwoStores, kTokens)};

  // The first store has the token, and says `bytes` to it; perhaps that is all it says.
  explicit Challenged(std::string_view bytes = kError, bool closes = false) {
    for (const pool::Backend& each : world.snapshot()->pools[0].members->backends()) {
      world.snapshot()->capabilities->learn(each, Protocol::Imap, "IMAP4rev1 SASL-IR AUTH=XOAUTH2");
    }
    greet(world);
    world.client.send(kTokenLogin);
    world.settle();
    REQUIRE(world.stores.size() == 1);
    world.stores[0]->send(kTokenGreeting);
    world.settle();
    CHECK(take(*world.stores[0]).starts_with("L AUTHENTICATE XOAUTH2 "));
    world.stores[0]->send(bytes);
    if (closes) world.stores[0]->finish();
    world.settle();
  }

  const pool::Backend& backend() const {
    const auto backends = world.snapshot()->pools[0].members->backends();
    return backends[0].host() == world.dialled[0].address.to_string() ? backends[0] : backends[1];
  }
};

}  // namespace

TEST_CASE("a client that is silent on the store's challenge is not a store that is") {
  Challenged scene;
  World& world = scene.world;
  CHECK(take(world.client) == kError);
  world.pass(std::chrono::seconds(40));
  CHECK(take(world.client).empty());
  SUBCASE("its time is that of the whole login") {
    world.pass(std::chrono::seconds(21));
    CHECK(take(world.client).starts_with("* BYE "));
    world.pass(std::chrono::seconds(3));
    REQUIRE(world.over());
    CHECK(world.log_line().find("fault=login_timeout") != std::string::npos);
  }
  SUBCASE("a late answer is as good as an early one, and the store has its time for it") {
    world.client.send("\r\n");
    world.settle();
    CHECK(take(*world.stores[0]) == "\r\n");
    world.pass(std::chrono::seconds(9));
    world.stores[0]->send("L NO [AUTHENTICATIONFAILED] no\r\n");
    world.settle();
    CHECK(take(world.client) == "a NO [AUTHENTICATIONFAILED] Authentication failed.\r\n");
  }
  CHECK(world.dialled.size() == 1);
  CHECK(scene.backend().state()->failures == 0);
}

TEST_CASE("the store's silence on the client's answer is the store's") {
  Challenged scene;
  scene.world.client.send("\r\n");
  scene.world.pass(std::chrono::seconds(11));
  CHECK(take(scene.world.client) == "+ e30=\r\na NO [UNAVAILABLE] Account is temporarily unavailable.\r\n");
  CHECK(scene.backend().state()->failures == 1);
}

TEST_CASE("a client that is challenged holds no place in the line of logins") {
  Challenged scene;
  CHECK(scene.backend().state()->pending_logins == 0);
  CHECK(scene.backend().state()->sessions == 1);
}

TEST_CASE("a login whose challenge the client has seen goes to no other store") {
  SUBCASE("the store closes with the challenge") {
    Challenged scene("* BYE x\r\n+ e30=\r\n");
    World& world = scene.world;
    CHECK(take(world.client) == kError);
    world.stores[0]->finish();
    world.settle();
    world.client.send("\r\n");
    world.settle();
    CHECK(world.dialled.size() == 1);
    CHECK(take(world.client) == "a NO [UNAVAILABLE] Account is temporarily unavailable.\r\n");
    world.client.send("b NOOP\r\n");
    world.settle();
    CHECK(take(world.client).starts_with("b OK"));
  }
  SUBCASE("the store can't serve now, says it behind the answer") {
    Challenged scene;
    World& world = scene.world;
    world.client.send("\r\n");
    world.settle();
    take(world.client);
    world.stores[0]->send("L NO [UNAVAILABLE] later\r\n");
    world.settle();
    CHECK(world.dialled.size() == 1);
    CHECK(take(world.client) == "a NO [UNAVAILABLE] later\r\n");
  }
}

TEST_CASE("a store that closes in the moment of its challenge is refused to the client, who may go on") {
  Challenged scene("* BYE [UNAVAILABLE] x\r\n+ e30=\r\n", true);
  World& world = scene.world;
  world.client.send("\r\n");
  world.settle();
  CHECK(world.dialled.size() == 1);
  CHECK(take(world.client).starts_with("+ e30=\r\na NO [UNAVAILABLE] "));
  CHECK_FALSE(world.over());
}

TEST_CASE("what a store sends behind its challenge waits outside") {
  Challenged scene;
  World& world = scene.world;
  const std::size_t before = world.stores[0]->to_session.size();
  world.stores[0]->send(std::string(1000000, 'x'));
  world.settle();
  CHECK(world.stores[0]->to_session.size() == before + 1000000);
}

}  // namespace postern::sim
