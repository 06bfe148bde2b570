#include "proxy/pool/capabilities.h"

#include <doctest/doctest.h>

#include "tests/unit/pool/world.h"

namespace postern::pool {
namespace {

struct World {
  Pool store{pool_of(3), nullptr, kStart};
  Pool other{[] {
               conf::Pool settings = pool_of(1);
               settings.name = "other";
               return settings;
             }(),
             nullptr, kStart};
  Capabilities capabilities;

  World() {
    const Pool* const pools[] = {&store, &other};
    capabilities.set_pools(pools);
  }
  void learn(std::size_t index, std::string_view list, Protocol protocol = Protocol::Imap) {
    capabilities.learn(store.backends()[index], protocol, list);
  }
  std::string shared(Protocol protocol = Protocol::Imap) const {
    const auto list = capabilities.shared(protocol);
    return list ? *list : "(nothing told)";
  }
};

}  // namespace

TEST_CASE("before anybody has told, nothing is shared; then what all who told have in common") {
  World world;
  CHECK(world.shared() == "(nothing told)");
  world.learn(1, "IMAP4rev1 IDLE SORT");
  CHECK(world.shared() == "IMAP4rev1 IDLE SORT");
  world.learn(0, "idle IMAP4REV1 THREAD=REFS");
  CHECK(world.shared() == "idle IMAP4REV1");
  world.learn(2, "IDLE");
  CHECK(world.shared() == "idle");
  world.learn(2, "THREAD=REFS IDLE");
  CHECK(world.shared() == "idle");
  CHECK(world.shared(Protocol::Pop3) == "(nothing told)");
}

TEST_CASE("members of all pools count") {
  World world;
  world.learn(0, "IDLE SORT");
  world.capabilities.learn(world.other.backends()[0], Protocol::Imap, "SORT ID");
  CHECK(world.shared() == "SORT");
}

TEST_CASE("POP3 lines are compared whole") {
  World world;
  world.learn(0, "TOP\nEXPIRE NEVER\nUIDL", Protocol::Pop3);
  world.learn(1, "UIDL\nexpire never\nEXPIRE 30", Protocol::Pop3);
  CHECK(world.shared(Protocol::Pop3) == "EXPIRE NEVER\nUIDL");
  world.learn(1, "UIDL\nEXPIRE 30", Protocol::Pop3);
  CHECK(world.shared(Protocol::Pop3) == "UIDL");
}

TEST_CASE("POP3's mechanisms are compared one by one") {
  World world;
  world.learn(0, "SASL PLAIN XOAUTH2 OAUTHBEARER\nTOP", Protocol::Pop3);
  world.learn(1, "sasl oauthbearer LOGIN plain\nTOP", Protocol::Pop3);
  CHECK(world.shared(Protocol::Pop3) == "SASL PLAIN\nSASL OAUTHBEARER\nTOP");
}

TEST_CASE("words are counted once, and empty ones are none") {
  World world;
  world.learn(0, "  IDLE  idle SORT ");
  CHECK(world.shared() == "IDLE SORT");
}

TEST_CASE("a store that tells nothing shares nothing") {
  World world;
  world.learn(0, "IDLE");
  world.learn(1, "");
  CHECK(world.shared() == "");
}

TEST_CASE("who is no member is not heard, and what former members told is forgotten") {
  World world;
  world.learn(0, "IDLE");
  world.learn(1, "IDLE SORT");
  conf::Pool settings = pool_of(3);
  settings.backends.erase(settings.backends.begin());
  const Pool after(settings, &world.store, kStart);
  const Pool* const pools[] = {&after};
  world.capabilities.set_pools(pools);
  CHECK(world.shared() == "IDLE SORT");
  world.learn(0, "NOTHING");
  CHECK(world.shared() == "IDLE SORT");
  world.capabilities.set_pools({});
  CHECK(world.shared() == "(nothing told)");
}

}  // namespace postern::pool
