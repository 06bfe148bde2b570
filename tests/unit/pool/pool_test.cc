#include "proxy/pool/pool.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <map>

#include "tests/unit/pool/world.h"

namespace postern::pool {
namespace {

using Balance = conf::Balance;
using Data = conf::Data;

const std::string kBob = "bob@example.org";  // s4 s2 s3 s5 s1 of five; s2 s3 s1 of three

std::vector<const Backend*> all(const Pool& pool, std::initializer_list<std::string_view> names) {
  std::vector<const Backend*> found;
  for (const auto name : names) found.push_back(pool.find(name));
  return found;
}

}  // namespace

TEST_CASE("every name of a choice is told apart") {
  std::map<std::string_view, int> names;
  for (std::size_t i = 0; i < kHows; ++i) ++names[name_of(static_cast<How>(i))];
  CHECK(names.size() == kHows);
  CHECK(names.count("") == 0);
}

TEST_CASE("hash: a user has a home, whatever the case of its letters") {
  const Pool pool(pool_of(5), nullptr, kStart);
  CHECK(told(pool.pick(kBob, {}, kStart)) == "s4 home");
  CHECK(told(pool.pick("BOB@Example.ORG", {}, kStart)) == "s4 home");
}

TEST_CASE("hash: whoever cannot be used is passed over in the order of the scores") {
  const Pool pool(pool_of(5), nullptr, kStart);
  CHECK(told(pool.pick(kBob, all(pool, {"s4"}), kStart)) == "s2 spill");
  mark(pool, "s2", false);
  CHECK(told(pool.pick(kBob, all(pool, {"s4"}), kStart)) == "s3 spill");
  eject(pool, "s3");
  CHECK(told(pool.pick(kBob, all(pool, {"s4"}), kStart)) == "s5 spill");
  CHECK(told(pool.pick(kBob, all(pool, {"s4", "s5"}), kStart)) == "s1 spill");
  CHECK(told(pool.pick(kBob, all(pool, {"s4", "s5", "s1"}), kStart)) == "no_backend");
  CHECK(told(pool.pick(kBob, {}, kStart)) == "s4 home");
}

TEST_CASE("hash: a full home spills, and gets its users back when it has room") {
  conf::Pool settings = pool_of(5);
  settings.limits.sessions = 1;
  const Pool pool(settings, nullptr, kStart);
  auto session = open_session(*pool.find("s4"));
  CHECK(told(pool.pick(kBob, {}, kStart)) == "s2 spill");
  session.reset();
  CHECK(told(pool.pick(kBob, {}, kStart)) == "s4 home");
}

TEST_CASE("a weight of 0 takes no new users, and nobody's home is there") {
  conf::Pool settings = pool_of(5);
  settings.backends[3].weight = 0;
  const Pool pool(settings, nullptr, kStart);
  CHECK(told(pool.pick(kBob, {}, kStart)) == "s2 home");
  CHECK(told(pool.pick_fixed("s4", {}, kStart)) == "s4 fixed");
}

TEST_CASE("a pool without members, or with none of weight, has no backend") {
  CHECK(told(Pool(pool_of(0), nullptr, kStart).pick(kBob, {}, kStart)) == "no_backend");
  for (const Data data : {Data::Shared, Data::Partitioned}) {
    conf::Pool settings = pool_of(1, Balance::Hash, data);
    settings.backends[0].weight = 0;
    CHECK(told(Pool(settings, nullptr, kStart).pick(kBob, {}, kStart)) == "no_backend");
  }
}

TEST_CASE("a worse priority is used when no better one can be") {
  for (const Balance balance : {Balance::Hash, Balance::Least, Balance::RoundRobin}) {
    conf::Pool settings = pool_of(0, balance);
    settings.backends = {member("spare", 100, 1), member("main", 100, 0), member("last", 100, 7)};
    const Pool pool(settings, nullptr, kStart);
    CHECK(name_of(pool.pick(kBob, {}, kStart)) == "main");
    CHECK(told(pool.pick(kBob, all(pool, {"main"}), kStart)) == "spare priority");
    mark(pool, "main", false);
    CHECK(told(pool.pick(kBob, {}, kStart)) == "spare priority");
    mark(pool, "spare", false);
    CHECK(told(pool.pick(kBob, {}, kStart)) == "last priority");
    mark(pool, "main", true);
    CHECK(name_of(pool.pick(kBob, {}, kStart)) == "main");
  }
}

TEST_CASE("least: the fewest sessions per weight, this one counted") {
  conf::Pool settings = pool_of(0, Balance::Least);
  settings.backends = {member("small", 100), member("large", 300)};
  const Pool pool(settings, nullptr, kStart);
  std::vector<SessionTicket> sessions;
  std::map<std::string, int> share;
  for (int i = 0; i < 400; ++i) {
    const auto choice = pool.pick("user" + std::to_string(i), {}, kStart);
    REQUIRE(choice);
    CHECK(choice->how == How::Least);
    ++share[choice->backend->name()];
    sessions.push_back(*open_session(*choice->backend));
  }
  CHECK(share["small"] == 100);
  CHECK(share["large"] == 300);
}

TEST_CASE("least: among equals the users are spread") {
  const Pool pool(pool_of(3, Balance::Least), nullptr, kStart);
  std::map<std::string, int> share;
  for (int i = 0; i < 300; ++i) ++share[name_of(pool.pick("user" + std::to_string(i), {}, kStart))];
  for (const auto name : {"s1", "s2", "s3"}) CHECK(share[name] > 70);
}

TEST_CASE("round robin: everybody in turn, as often as its weight says, smoothly") {
  conf::Pool settings = pool_of(0, Balance::RoundRobin);
  settings.backends = {member("a", 50), member("b", 10), member("c", 10)};
  const Pool pool(settings, nullptr, kStart);
  std::string turns;
  for (int i = 0; i < 14; ++i) turns += name_of(pool.pick(kBob, {}, kStart));
  CHECK(turns == "aabacaaaabacaa");
  CHECK(told(pool.pick(kBob, all(pool, {"a", "b"}), kStart)) == "c round_robin");
}

TEST_CASE("panic: when no member looks healthy, the order holds as if all did, without those that failed") {
  const Pool pool(pool_of(5), nullptr, kStart);
  for (const auto name : {"s1", "s2", "s3", "s4", "s5"}) mark(pool, name, false);
  CHECK(told(pool.pick(kBob, {}, kStart)) == "s4 panic");
  CHECK(told(pool.pick(kBob, all(pool, {"s4"}), kStart)) == "s2 panic");
  CHECK(told(pool.pick(kBob, all(pool, {"s4", "s2", "s3", "s5", "s1"}), kStart)) == "no_backend");
  mark(pool, "s1", true);
  CHECK(told(pool.pick(kBob, {}, kStart)) == "s1 spill");
  CHECK(told(pool.pick(kBob, all(pool, {"s1"}), kStart)) == "no_backend");
}

TEST_CASE("panic does not break the limit of sessions") {
  conf::Pool settings = pool_of(1);
  settings.limits.sessions = 1;
  const Pool pool(settings, nullptr, kStart);
  mark(pool, "s1", false);
  const auto session = open_session(*pool.find("s1"));
  CHECK(told(pool.pick(kBob, {}, kStart)) == "no_backend");
}

TEST_CASE("partitioned: only the home can serve the user, whatever the balance and the priorities say") {
  for (const Balance balance : {Balance::Hash, Balance::Least, Balance::RoundRobin}) {
    conf::Pool settings = pool_of(5, balance, Data::Partitioned);
    settings.backends[3].priority = 9;
    const Pool pool(settings, nullptr, kStart);
    CHECK(told(pool.pick(kBob, {}, kStart)) == "s4 home");
    CHECK(told(pool.pick(kBob, all(pool, {"s4"}), kStart)) == "no_backend");
    CHECK(told(pool.pick(kBob, all(pool, {"s1"}), kStart)) == "s4 home");
    for (const auto name : {"s1", "s2", "s3", "s5"}) mark(pool, name, false);
    CHECK(told(pool.pick(kBob, {}, kStart)) == "s4 home");
  }
}

TEST_CASE("partitioned: a home that the checks mark down is tried, an ejected or full one is not") {
  conf::Pool settings = pool_of(5, Balance::Hash, Data::Partitioned);
  settings.limits.sessions = 1;
  const Pool pool(settings, nullptr, kStart);
  mark(pool, "s4", false);
  CHECK(told(pool.pick(kBob, {}, kStart)) == "s4 home");
  eject(pool, "s4");
  CHECK(told(pool.pick(kBob, {}, kStart)) == "no_backend");
  CHECK(told(pool.pick(kBob, {}, kStart + 30s)) == "s4 home");
  const auto session = open_session(*pool.find("s4"));
  CHECK(told(pool.pick(kBob, {}, kStart + 30s)) == "no_backend");
}

TEST_CASE("fixed: the backend of that name or none") {
  const Pool pool(pool_of(3), nullptr, kStart);
  CHECK(told(pool.pick_fixed("s1", {}, kStart)) == "s1 fixed");
  CHECK(told(pool.pick_fixed("s1", all(pool, {"s1"}), kStart)) == "no_backend");
  CHECK(told(pool.pick_fixed("S1", {}, kStart)) == "no_backend");
  CHECK(told(pool.pick_fixed("", {}, kStart)) == "no_backend");
  mark(pool, "s1", false);
  CHECK(told(pool.pick_fixed("s1", {}, kStart)) == "s1 fixed");
  eject(pool, "s1");
  CHECK(told(pool.pick_fixed("s1", {}, kStart)) == "no_backend");
}

TEST_CASE("ejection: enough failures in a row take a member out for its time") {
  const Pool pool(pool_of(3), nullptr, kStart);
  const Backend& home = *pool.find("s2");
  CHECK(told(pool.pick(kBob, {}, kStart)) == "s2 home");
  for (int i = 0; i < 4; ++i) CHECK(pool.note(home, Fault::StoreTimeout, kStart) == Change::None);
  CHECK(pool.note(home, Fault::BadCredentials, kStart) == Change::None);
  CHECK(pool.note(home, Fault::ConnectFailed, kStart) == Change::Ejected);
  CHECK(told(pool.pick(kBob, {}, kStart)) == "s3 spill");
  CHECK(told(pool.pick(kBob, {}, kStart + 29s)) == "s3 spill");
  CHECK(told(pool.pick(kBob, {}, kStart + 30s)) == "s2 home");
  CHECK(home.state()->failures == 5);
  CHECK(home.state()->ejections == 1);
}

TEST_CASE("ejection: a thousand wrong passwords take nobody out") {
  const Pool pool(pool_of(3), nullptr, kStart);
  for (int i = 0; i < 1'000; ++i) pool.note(*pool.find("s2"), Fault::BadCredentials, kStart);
  CHECK(pool.find("s2")->health().usable(kStart));
  CHECK(pool.find("s2")->state()->failures == 0);
}

TEST_CASE("ejection: a success between failures starts the row anew, a refusal does not") {
  const Pool pool(pool_of(3), nullptr, kStart);
  const Backend& backend = *pool.find("s1");
  for (int i = 0; i < 4; ++i) pool.note(backend, Fault::StoreClosed, kStart);
  pool.note(backend, Fault::None, kStart);
  CHECK(pool.note(backend, Fault::StoreClosed, kStart) == Change::None);
  CHECK(backend.state()->logins == 1);
}

TEST_CASE("ejection: logins that were under way do not count towards the next one") {
  const Pool pool(pool_of(3), nullptr, kStart);
  const Backend& backend = *pool.find("s1");
  eject(pool, "s1");
  for (int i = 0; i < 20; ++i) pool.note(backend, Fault::StoreClosed, kStart + 1s);
  CHECK(pool.note(backend, Fault::StoreClosed, kStart + 31s) == Change::None);
  CHECK(backend.health().usable(kStart + 31s));
}

TEST_CASE("ejection: at most `percent` of the members are out, but one may go unless it is 0") {
  struct Row {
    unsigned members;
    unsigned percent;
    long out;
  };
  for (const Row& row : {Row{2, 34, 1}, Row{3, 34, 1}, Row{6, 34, 2}, Row{10, 1, 1}, Row{10, 0, 0},
                         Row{2, 0, 0}, Row{10, 50, 5}, Row{4, 100, 3}, Row{1, 100, 0}}) {
    CAPTURE(row.members);
    CAPTURE(row.percent);
    conf::Pool settings = pool_of(row.members);
    settings.health.eject.percent = row.percent;
    const Pool pool(settings, nullptr, kStart);
    for (const Backend& backend : pool.backends()) eject(pool, backend.name());
    CHECK(std::ranges::count_if(pool.backends(),
                                [](const Backend& b) { return b.health().ejected(kStart); }) == row.out);
  }
}

TEST_CASE("ejection: one that the checks have marked down does not use up the share") {
  const Pool pool(pool_of(3), nullptr, kStart);
  eject(pool, "s1");
  eject(pool, "s2");
  CHECK_FALSE(pool.find("s2")->health().ejected(kStart));
  mark(pool, "s1", false);
  CHECK(pool.note(*pool.find("s2"), Fault::StoreTimeout, kStart) == Change::Ejected);
  eject(pool, "s3");
  CHECK(pool.find("s3")->health().usable(kStart));  // the last usable one stays
}

TEST_CASE("ejection: partitioned members go one by one, the last one too") {
  const Pool pool(pool_of(1, Balance::Hash, Data::Partitioned), nullptr, kStart);
  eject(pool, "s1");
  CHECK(pool.find("s1")->health().ejected(kStart));
}

TEST_CASE("of a dead, a hung and a working member, every login ends at the working one") {
  const Pool pool(pool_of(3), nullptr, kStart);
  int failed = 0;
  int last_failure = 0;
  Time now = kStart;
  for (int i = 0; i < 300; ++i, now += 20ms) {
    if (i == 50) mark(pool, "s1", false);  // the checks have found the dead one
    std::vector<const Backend*> tried;
    while (true) {
      const auto choice = pool.pick("user" + std::to_string(i), tried, now);
      REQUIRE(choice);
      const std::string name = choice->backend->name();
      if (name == "s3") {
        pool.note(*choice->backend, Fault::None, now);
        break;
      }
      ++failed;
      last_failure = i;
      pool.note(*choice->backend, name == "s1" ? Fault::ConnectFailed : Fault::StoreTimeout, now);
      tried.push_back(choice->backend);
    }
  }
  // One of the two is ejected; the other must wait for the checks, or for the share that they set free.
  CHECK(failed > 0);
  CHECK(last_failure < 70);
}

TEST_CASE("rank tells the order, the scores and who is usable") {
  conf::Pool settings = pool_of(5);
  settings.backends.push_back(member("spare", 100, 1));
  const Pool pool(settings, nullptr, kStart);
  mark(pool, "s2", false);
  std::string order;
  for (const Ranked& ranked : pool.rank(kBob, kStart)) {
    order += ranked.backend->name() + (ranked.usable ? " " : "! ");
  }
  CHECK(order == "s4 s2! s3 s5 s1 spare ");
  CHECK(pool.rank(kBob, kStart)[4].score == doctest::Approx(110.68507163013548));
}

}  // namespace postern::pool
