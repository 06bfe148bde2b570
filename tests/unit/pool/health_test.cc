#include "proxy/pool/health.h"

#include <doctest/doctest.h>
#include <set>

#include "tests/unit/pool/world.h"

namespace postern::pool {

TEST_CASE("a backend starts up, goes down after `fall` bad checks in a row and up after `rise` good ones") {
  const conf::Health settings{.fall = 3, .rise = 2, .eject = {}};
  struct Row {
    bool good;
    Change change;
    bool up;
  };
  const std::vector<Row> rows{
      {false, Change::None, true},  {false, Change::None, true}, {true, Change::None, true},
      {false, Change::None, true},  {false, Change::None, true}, {false, Change::Down, false},
      {false, Change::None, false}, {true, Change::None, false}, {false, Change::None, false},
      {true, Change::None, false},  {true, Change::Up, true},    {true, Change::None, true},
      {false, Change::None, true},  {false, Change::None, true}, {false, Change::Down, false},
  };
  Health health;
  CHECK(health.up());
  CHECK(health.usable(kStart));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(i);
    CHECK(health.report(rows[i].good, settings, kStart, 0.5) == rows[i].change);
    CHECK(health.up() == rows[i].up);
    CHECK(health.usable(kStart) == rows[i].up);
  }
}

TEST_CASE("the next check comes after the interval, ten percent more or less") {
  const conf::Health settings{.interval = 2s, .eject = {}};
  Health health;
  health.report(true, settings, kStart, 0.0);
  CHECK(health.next_check() == kStart + 1800ms);
  health.report(true, settings, kStart, 0.5);
  CHECK(health.next_check() == kStart + 2000ms);
  health.report(false, settings, kStart, 0.999);
  CHECK(health.next_check() > kStart + 2190ms);
  CHECK(health.next_check() < kStart + 2200ms);
}

TEST_CASE("the first checks of a pool are spread over one interval") {
  conf::Pool settings = pool_of(4);
  settings.health.interval = 2s;
  const Pool pool(settings, nullptr, kStart);
  std::set<Time> due;
  for (const Backend& backend : pool.backends()) due.insert(backend.health().next_check());
  CHECK(due == std::set<Time>{kStart, kStart + 500ms, kStart + 1000ms, kStart + 1500ms});
}

TEST_CASE("a refusal of credentials never speaks against a backend, nor does our own trouble") {
  const std::set<Fault> against{Fault::NameNotFound,     Fault::ConnectFailed, Fault::ConnectTimeout,
                                Fault::StoreClosed,      Fault::StoreTimeout,  Fault::StoreProtocol,
                                Fault::StoreUnavailable, Fault::StoreTls};
  for (std::size_t i = 0; i < kFaults; ++i) {
    const auto fault = static_cast<Fault>(i);
    CAPTURE(postern::name_of(fault));
    CHECK(speaks_against_backend(fault) == against.contains(fault));
  }
}

TEST_CASE("failures in a row are due for ejection, a success between them starts anew") {
  const conf::Health::Eject settings{.errors = 3};
  Health health;
  CHECK_FALSE(health.note_failure(settings, true));
  CHECK_FALSE(health.note_failure(settings, true));
  health.note_success();
  CHECK_FALSE(health.note_failure(settings, true));
  CHECK_FALSE(health.note_failure(settings, true));
  CHECK(health.note_failure(settings, true));
  CHECK(health.note_failure(settings, true));
}

TEST_CASE("errors = 0 switches ejection off") {
  Health health;
  for (int i = 0; i < 100; ++i) CHECK_FALSE(health.note_failure({.errors = 0}, true));
}

TEST_CASE("ejections last longer each time up to the maximum, and peace takes them back") {
  const conf::Health::Eject settings{.errors = 5, .base = 30s, .max = 100s};
  Health health;
  Time now = kStart;
  const auto length = [&] {
    health.eject(settings, now);
    CHECK(health.ejected(now));
    const auto lasted = health.ejected_until() - now;
    CHECK_FALSE(health.ejected(health.ejected_until()));
    now = health.ejected_until();
    return lasted;
  };
  CHECK(length() == 30s);
  CHECK(length() == 60s);
  CHECK(length() == 90s);
  CHECK(length() == 100s);
  CHECK(length() == 100s);
  now += 59s;  // one base of peace: one step back from four
  CHECK(length() == 100s);
  now += 60s;  // two
  CHECK(length() == 90s);
  now += 1h;
  CHECK(length() == 30s);
}

TEST_CASE("a check sees what fails up to where it goes, and nothing behind the credentials") {
  using enum conf::HealthCheck;
  for (const auto check : {Connect, Tls, Greeting}) {
    CAPTURE(static_cast<int>(check));
    CHECK(seen_by_checks(Fault::NameNotFound, false, check));
    CHECK(seen_by_checks(Fault::ConnectFailed, false, check));
    CHECK(seen_by_checks(Fault::ConnectTimeout, false, check));
    CHECK(seen_by_checks(Fault::StoreTls, false, check) == (check != Connect));
    for (const Fault fault :
         {Fault::StoreClosed, Fault::StoreTimeout, Fault::StoreProtocol, Fault::StoreUnavailable}) {
      CHECK(seen_by_checks(fault, false, check) == (check == Greeting));
      CHECK_FALSE(seen_by_checks(fault, true, check));
    }
  }
}

TEST_CASE("a good check ends an ejection whose failures it sees, a bad one does not") {
  const conf::Health settings{.eject = {.errors = 2, .base = 30s}};
  Health health;
  health.note_failure(settings.eject, true);
  health.note_failure(settings.eject, true);
  health.eject(settings.eject, kStart);
  CHECK(health.report(false, settings, kStart + 1s, 0.5) == Change::None);
  CHECK(health.ejected(kStart + 1s));
  CHECK(health.report(true, settings, kStart + 2s, 0.5) == Change::Returned);
  CHECK_FALSE(health.ejected(kStart + 2s));
  CHECK(health.usable(kStart + 2s));
  CHECK(health.report(true, settings, kStart + 3s, 0.5) == Change::None);
}

TEST_CASE("no check ends an ejection before its time when it does not see one of the failures") {
  const conf::Health settings{.fall = 2, .rise = 2, .eject = {.errors = 2, .base = 30s}};
  Health health;
  health.note_failure(settings.eject, false);
  health.note_failure(settings.eject, true);
  health.eject(settings.eject, kStart);
  CHECK(health.report(true, settings, kStart + 2s, 0.5) == Change::None);
  CHECK(health.ejected(kStart + 2s));
  for (const bool good : {false, false, true, true}) health.report(good, settings, kStart + 10s, 0.5);
  CHECK(health.up());
  CHECK(health.ejected(kStart + 29s));
  CHECK(health.usable(kStart + 30s));

  health.note_failure(settings.eject, true);
  health.note_failure(settings.eject, true);
  health.eject(settings.eject, kStart + 40s);
  CHECK(health.report(true, settings, kStart + 42s, 0.5) == Change::Returned);
}

TEST_CASE("a failure that checks do not see is forgotten with its row") {
  const conf::Health settings{.eject = {.errors = 2, .base = 30s}};
  Health health;
  health.note_failure(settings.eject, false);
  health.note_success();
  health.note_failure(settings.eject, true);
  health.note_failure(settings.eject, true);
  health.eject(settings.eject, kStart);
  CHECK(health.report(true, settings, kStart + 2s, 0.5) == Change::Returned);
}

TEST_CASE("a base of zero ejects for no time at all") {
  Health health;
  health.eject({.errors = 1, .base = 0s, .max = 300s}, kStart);
  health.eject({.errors = 1, .base = 0s, .max = 300s}, kStart);
  CHECK(health.usable(kStart));
}

}  // namespace postern::pool
