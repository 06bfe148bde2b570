#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// Tokens were offered only when the stores had told that they take them. Where checks do not ask for it only
// a login tells, and with tokens alone nobody could log in.

namespace postern::sim {

namespace {

constexpr std::string_view kTokens = R"(
health = { check = "connect" }
[auth]
mechanisms = ["xoauth2"]
[limits]
failure_delay = "0s"
)";

constexpr std::string_view kStore = R"(
[pool.store]
forward = []
backends = { s1 = "192.0.2.101" }
)";

constexpr std::string_view kTokenLogin =
    "a AUTHENTICATE XOAUTH2 dXNlcj1ib2IBYXV0aD1CZWFyZXIgdG9rZW4BAQ==\r\n";  // bob, token

struct Scene {
  World world{config(kImap, kStore, kTokens)};

  // The client is offered the token's mechanism, and the store has greeted.
  explicit Scene(std::string_view greeting) {
    world.connect();
    world.settle();
    CHECK(take(world.client).find(" AUTH=XOAUTH2]") != std::string::npos);
    world.client.send(kTokenLogin);
    world.settle();
    REQUIRE(world.stores.size() == 1);
    world.stores[0]->send(greeting);
    world.settle();
  }
};

}  // namespace

TEST_CASE("a token is taken before any store has told that it takes tokens") {
  Scene scene("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] ready\r\n");
  CHECK(take(*scene.world.stores[0]).starts_with("L AUTHENTICATE XOAUTH2 "));
  scene.world.stores[0]->send(kStoreOk);
  scene.world.settle();
  CHECK(take(scene.world.client) == kClientOk);
}

TEST_CASE("a store that takes none is a fault of the configuration") {
  Scene scene("* OK [CAPABILITY IMAP4rev1 SASL-IR] ready\r\n");
  CHECK(take(scene.world.client) == "a NO [SERVERBUG] Account is temporarily unavailable.\r\n");
  scene.world.client.finish();
  scene.world.settle();
  REQUIRE(scene.world.over());
  CHECK(scene.world.log_line().find("fault=store_login_disabled") != std::string::npos);
}

TEST_CASE("what the first login has told holds for those behind it") {
  Scene scene("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2 AUTH=PLAIN IDLE] ready\r\n");
  scene.world.stores[0]->send(kStoreOk);
  scene.world.settle();
  const auto shared = scene.world.snapshot()->capabilities->shared(Protocol::Imap);
  REQUIRE(shared);
  CHECK(*shared == "IMAP4rev1 SASL-IR AUTH=XOAUTH2 AUTH=PLAIN IDLE");
}

}  // namespace postern::sim
