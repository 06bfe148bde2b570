#include <doctest/doctest.h>

#include "proxy/prober.h"
#include "tests/sim/scene.h"

// Every store was checked in the protocol of every listener: one that serves IMAP alone was down for ever
// beside a listener for POP3 whose users go elsewhere, and the proxy never ready.

namespace postern::sim {

namespace {

using std::chrono::seconds;

constexpr std::string_view kBoth = R"(
[listen.front]
protocol = "imap"
address = ["127.0.0.1:993"]
tls = "none"
[listen.post]
protocol = "pop3"
address = ["127.0.0.1:995"]
tls = "none"
[pool.imap.backends]
i1 = "192.0.2.101"
[pool.pop3.backends]
p1 = "192.0.2.102"
[admin]
http = ""
)";

constexpr std::string_view kApart = R"(
[[route]]
listener = "front"
pool = "imap"
[[route]]
listener = "post"
pool = "pop3"
)";

// Stores that serve one protocol each.
struct Checks {
  explicit Checks(std::string_view routes) : world(config(kBoth, routes)) {
    world.on_dial = [this](Peer& store, std::size_t number) {
      const std::string to = world.dialled[number].to_string();
      if (to == "192.0.2.101:143") {
        store.send(kGreeting);
      } else if (to == "192.0.2.102:110") {
        store.send("+OK ready\r\n+OK\r\nUSER\r\n.\r\n");
      } else {
        store.connect_error = ECONNREFUSED;
      }
    };
    prober.use(world.snapshot());
    world.pass(seconds(20));
  }
  ~Checks() { prober.stop(); }

  bool up(std::size_t pool) const {
    return world.snapshot()->pools[pool].members->backends()[0].health().up();
  }

  TemporaryDirectory folder;
  World world;
  std::unique_ptr<observe::Log> log = *observe::Log::open({.target = folder / "log"});
  Prober prober{world, *log};
};

}  // namespace

TEST_CASE("a store is checked in the protocols of the listeners whose users it serves") {
  Checks checks(kApart);
  CHECK(checks.up(0));
  CHECK(checks.up(1));
  CHECK(checks.prober.silent_pools().empty());
}

TEST_CASE("a store that users of all listeners come to is checked in every protocol") {
  Checks checks("[[route]]\npool = \"imap\"\n");
  CHECK_FALSE(checks.up(0));
  CHECK(checks.prober.silent_pools() == std::vector<std::string>{"imap"});
  CHECK(checks.world.dialled.back().to_string().starts_with("192.0.2.101:"));
}

TEST_CASE("a map may send the users of its listener to any pool") {
  Checks checks(R"(
[map.homes.redis]
address = "192.0.2.201:6379"
[[route]]
listener = "front"
map = "homes"
[[route]]
listener = "post"
pool = "pop3"
)");
  CHECK(checks.up(0));
  CHECK_FALSE(checks.up(1));
}

}  // namespace postern::sim
