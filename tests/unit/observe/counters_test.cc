#include "proxy/observe/counters.h"

#include <doctest/doctest.h>
#include <thread>

using namespace postern;
using namespace postern::observe;
using namespace std::chrono_literals;

TEST_CASE("one thread counts while another reads, and the reader never sees a number fall") {
  Counter counter;
  Gauge gauge;
  Histogram histogram;
  constexpr std::uint64_t kTimes = 100'000;
  std::jthread writer([&counter, &gauge, &histogram] {
    for (std::uint64_t i = 0; i < kTimes; ++i) {
      counter.add();
      gauge.add(1);
      gauge.add(-1);
      histogram.observe(3ms);
    }
  });
  std::uint64_t last = 0;
  while (last < kTimes) {
    const std::uint64_t now = counter.value();
    REQUIRE(now >= last);
    REQUIRE(gauge.value() >= 0);
    REQUIRE(gauge.value() <= 1);
    REQUIRE(histogram.count(3) <= kTimes);
    last = now;
  }
  writer.join();
  CHECK(counter.value() == kTimes);
  CHECK(gauge.value() == 0);
  CHECK(histogram.count(3) == kTimes);
  CHECK(histogram.sum_seconds() == doctest::Approx(300.0));
}

TEST_CASE("shared counters lose nothing between threads") {
  SharedCounter counter;
  SharedGauge gauge;
  {
    const auto count = [&counter, &gauge] {
      for (int i = 0; i < 50'000; ++i) {
        counter.add();
        gauge.add(2);
        gauge.add(-1);
      }
    };
    const std::jthread one(count);
    const std::jthread two(count);
  }
  CHECK(counter.value() == 100'000);
  CHECK(gauge.value() == 100'000);
}

TEST_CASE("a duration counts in the first bucket whose bound is not below it") {
  struct Row {
    Time::duration duration;
    std::size_t bucket;
  };
  const Row rows[] = {{0ns, 0}, {-1s, 0},    {500us, 0},      {500us + 1ns, 1},
                      {1ms, 1}, {2500us, 2}, {25ms, 5},       {25ms + 1ns, 6},
                      {1s, 10}, {10s, 13},   {10s + 1ns, 14}, {std::chrono::hours(240), 14}};
  for (const Row& row : rows) {
    CAPTURE(row.duration.count());
    Histogram histogram;
    histogram.observe(row.duration);
    for (std::size_t bucket = 0; bucket <= histogram.ladder().size(); ++bucket)
      CHECK(histogram.count(bucket) == (bucket == row.bucket ? 1 : 0));
  }
  Histogram session(kSessionLadder);
  session.observe(std::chrono::hours(25));
  CHECK(session.count(8) == 1);
}

TEST_CASE("the recent maximum is kept for 15 to 30 seconds, whoever reads it") {
  const Time start{1'000'000s};  // a window begins here: 15 divides it but for 10 s
  const Time at = start + 5s;
  RecentMax lag;
  CHECK(lag.value(at) == 0ns);
  lag.observe(3ms, at);
  lag.observe(200ms, at + 1s);
  lag.observe(1ms, at + 2s);
  CHECK(lag.value(at + 2s) == 200ms);
  CHECK(lag.value(at + 14s) == 200ms);
  lag.observe(1ms, at + 15s);
  CHECK(lag.value(at + 15s) == 200ms);  // of the window before
  lag.observe(2ms, at + 30s);
  CHECK(lag.value(at + 30s) == 2ms);
  CHECK(lag.value(at + 45s) == 2ms);
  CHECK(lag.value(at + 60s) == 0ns);  // nobody has observed for long
  lag.observe(1ms, at + 300s);
  CHECK(lag.value(at + 300s) == 1ms);  // nothing of the old windows
}
