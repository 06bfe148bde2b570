#include "proxy/net/timer_wheel.h"

#include <doctest/doctest.h>
#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace postern::net {

namespace {

class Alarm final : public Timer {
 public:
  std::function<void(Time)> action;
  std::vector<Time> rang;

 private:
  void expired(Time now) override {
    rang.push_back(now);
    if (action) action(now);
  }
};

constexpr Time kStart{std::chrono::hours(5)};

void run(TimerWheel& wheel, Time from, Time until, Duration step) {
  for (Time now = from; now <= until; now += step) wheel.advance(now);
}

}  // namespace

TEST_CASE("a timer fires once, never early and at most one width late") {
  std::minstd_rand random(7);
  TimerWheel wheel(kStart);
  std::vector<std::unique_ptr<Alarm>> alarms;
  std::vector<Time> deadlines;
  for (int i = 0; i < 500; ++i) {
    alarms.push_back(std::make_unique<Alarm>());
    deadlines.push_back(kStart + std::chrono::milliseconds(random() % 200'000));
    wheel.start(*alarms.back(), deadlines.back());
  }
  run(wheel, kStart, kStart + std::chrono::seconds(210), std::chrono::milliseconds(1));
  for (std::size_t i = 0; i < alarms.size(); ++i) {
    REQUIRE(alarms[i]->rang.size() == 1);
    CHECK(alarms[i]->rang[0] >= deadlines[i]);
    CHECK(alarms[i]->rang[0] <= deadlines[i] + TimerWheel::kWidth + std::chrono::milliseconds(1));
  }
}

TEST_CASE("a clock that jumps far ahead fires what is due, and nothing late by another turn") {
  TimerWheel wheel(kStart);
  Alarm due, later;
  wheel.start(due, kStart + std::chrono::hours(1));
  wheel.start(later, kStart + std::chrono::hours(2) + std::chrono::seconds(1));
  wheel.advance(kStart + std::chrono::hours(2));
  CHECK(due.rang.size() == 1);
  CHECK(later.rang.empty());
  wheel.advance(kStart + std::chrono::hours(2) + std::chrono::milliseconds(1100));
  CHECK(later.rang.size() == 1);
}

TEST_CASE("a stopped, restarted or destroyed timer does not fire at its old deadline") {
  TimerWheel wheel(kStart);
  Alarm stopped, moved;
  auto destroyed = std::make_unique<Alarm>();
  for (Alarm* alarm : {&stopped, &moved, destroyed.get()})
    wheel.start(*alarm, kStart + std::chrono::seconds(1));
  stopped.stop();
  wheel.start(moved, kStart + std::chrono::seconds(5));
  destroyed.reset();
  run(wheel, kStart, kStart + std::chrono::seconds(4), std::chrono::milliseconds(10));
  CHECK(stopped.rang.empty());
  CHECK(moved.rang.empty());
  run(wheel, kStart + std::chrono::seconds(4), kStart + std::chrono::seconds(6),
      std::chrono::milliseconds(10));
  CHECK(moved.rang.size() == 1);
}

TEST_CASE("a timer may destroy and start others of the same moment") {
  TimerWheel wheel(kStart);
  const Time deadline = kStart + std::chrono::seconds(1);
  auto victim = std::make_unique<Alarm>();
  Alarm first, again;
  first.action = [&victim, &wheel, &again](Time now) {
    victim.reset();
    wheel.start(again, now);
  };
  wheel.start(first, deadline);
  wheel.start(*victim, deadline);
  run(wheel, kStart, kStart + std::chrono::seconds(2), std::chrono::milliseconds(10));
  CHECK(first.rang.size() == 1);
  CHECK(again.rang.size() == 1);
}

TEST_CASE("next() is never behind a deadline") {
  std::minstd_rand random(3);
  TimerWheel wheel(kStart);
  CHECK(wheel.next() == kNever);
  Time now = kStart;
  std::vector<std::unique_ptr<Alarm>> alarms;
  for (int i = 0; i < 300; ++i) {
    alarms.push_back(std::make_unique<Alarm>());
    const Time deadline = now + std::chrono::milliseconds(random() % 5000);
    wheel.start(*alarms.back(), deadline);
    CHECK(wheel.next() <= deadline + TimerWheel::kWidth);
    CHECK(wheel.next() > now - TimerWheel::kWidth);
    now = std::min(wheel.next(), now + std::chrono::milliseconds(random() % 300));
    wheel.advance(now);
  }
}

}  // namespace postern::net
