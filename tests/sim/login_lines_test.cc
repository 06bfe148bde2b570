#include "proxy/login_lines.h"

#include <doctest/doctest.h>
#include <vector>

#include "tests/sim/scene.h"
#include "tests/unit/pool/world.h"

namespace postern::sim {

namespace {

using pool::kStart;

// Backends that have one login under way each, which is as many as they may have.
struct Crowded {
  explicit Crowded(unsigned count) : members(settings(count), nullptr, kStart) {
    for (const pool::Backend& backend : members.backends()) under_way.push_back(*pool::begin_login(backend));
  }

  static conf::Pool settings(unsigned count) {
    conf::Pool settings = pool::pool_of(count);
    settings.limits.pending_logins = 1;
    return settings;
  }

  const pool::Backend& operator[](std::size_t number) const { return members.backends()[number]; }

  // Who is called, in order, when everybody who is called takes the place.
  std::vector<std::uint32_t> call() {
    std::vector<std::uint32_t> called;
    lines.call(kStart, [this, &called](net::AnswerTicket ticket) {
      called.push_back(ticket.slot);
      if (takes) under_way.push_back(*pool::begin_login(*takes));
    });
    return called;
  }

  pool::Pool members;
  std::vector<pool::LoginTicket> under_way;
  LoginLines lines;
  const pool::Backend* takes = nullptr;
};

using Slots = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("a place that is given back goes to who came first") {
  Crowded pool(1);
  pool.takes = &pool[0];
  for (std::uint32_t slot : {1, 2, 3}) pool.lines.wait(pool[0], {slot, 1});
  CHECK(pool.call().empty());
  pool.under_way.clear();
  CHECK(pool.call() == Slots{1});
  CHECK(pool.call().empty());
  pool.under_way.clear();
  CHECK(pool.call() == Slots{2});
  pool.under_way.clear();
  CHECK(pool.call() == Slots{3});
  CHECK(pool.lines.empty());
}

TEST_CASE("each backend has its own line") {
  Crowded pool(2);
  pool.takes = &pool[1];
  pool.lines.wait(pool[0], {1, 1});
  pool.lines.wait(pool[1], {2, 1});
  pool.under_way.erase(pool.under_way.begin() + 1);
  CHECK(pool.call() == Slots{2});
  CHECK_FALSE(pool.lines.empty());
}

TEST_CASE("who has gone is passed over") {
  Crowded pool(1);
  for (std::uint32_t slot : {1, 2}) pool.lines.wait(pool[0], {slot, 1});
  pool.under_way.clear();
  CHECK(pool.call() == Slots{1, 2});  // the first takes no place
}

TEST_CASE("who is called and finds that another worker was faster keeps its place") {
  Crowded pool(1);
  for (std::uint32_t slot : {1, 2}) pool.lines.wait(pool[0], {slot, 1});
  pool.under_way.clear();
  Slots called;
  pool.lines.call(kStart, [&pool, &called](net::AnswerTicket ticket) {
    called.push_back(ticket.slot);
    pool.under_way.push_back(*pool::begin_login(pool[0]));
    pool.lines.wait(pool[0], ticket);
  });
  CHECK(called == Slots{1});
  pool.under_way.clear();
  pool.takes = &pool[0];
  CHECK(pool.call() == Slots{1});
}

TEST_CASE("all look for another backend when theirs can't be used any more, some in each turn") {
  Crowded pool(2);
  constexpr auto kMany = static_cast<std::uint32_t>(2 * LoginLines::kAtOnce);
  for (std::uint32_t slot = 0; slot < kMany; ++slot) pool.lines.wait(pool[0], {slot, 1});
  CHECK(pool.call().empty());
  pool::mark(pool.members, "s1", false);
  CHECK(pool.call().size() == LoginLines::kAtOnce);
  CHECK(pool.call().size() == LoginLines::kAtOnce);
  CHECK(pool.lines.empty());
}

TEST_CASE("a login whose backend fails while it waits goes to another one") {
  World world(config(kImap, kTwoStores, "[pool.store.limits]\npending_logins = 1\n"));
  const pool::Pool& members = *world.snapshot()->pools[0].members;
  std::vector<pool::LoginTicket> taken;
  for (const pool::Backend& backend : members.backends()) taken.push_back(*pool::begin_login(backend));
  greet(world);
  world.client.send(kLogin);
  world.settle();
  CHECK(world.dialled.empty());
  const bool waits_for_first = members.pick("bob", {}, Time(std::chrono::hours(1)))->backend->name() == "s1";
  taken.erase(taken.begin() + (waits_for_first ? 1 : 0));
  world.pass(std::chrono::seconds(1));
  CHECK(world.dialled.empty());  // the place that is free is not its own
  pool::mark(members, waits_for_first ? "s1" : "s2", false);
  world.pass(std::chrono::milliseconds(100));
  REQUIRE(world.dialled.size() == 1);
  CHECK(world.dialled[0].address.to_string() == (waits_for_first ? "192.0.2.102" : "192.0.2.101"));
}

}  // namespace postern::sim
