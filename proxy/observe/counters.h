#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "proxy/time.h"

namespace postern::observe {

// Numbers with exactly one writing thread: a plain load, add and store, without a locked instruction. Any
// thread may read them; it sees each number some moment late, never torn.
class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.store(value() + n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void add(std::int64_t n = 1) { set(value() + n); }
  void set(std::int64_t n) { value_.store(n, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// Counts one as long as it lives. The gauge outlives it.
class Held {
 public:
  Held() = default;
  explicit Held(Gauge& gauge) : gauge_(&gauge) { gauge.add(); }
  Held(Held&& other) noexcept : gauge_(std::exchange(other.gauge_, nullptr)) {}
  Held& operator=(Held&& other) noexcept {
    release();
    gauge_ = std::exchange(other.gauge_, nullptr);
    return *this;
  }
  ~Held() { release(); }

  void release() {
    if (gauge_) std::exchange(gauge_, nullptr)->add(-1);
  }

 private:
  Gauge* gauge_ = nullptr;
};

// Numbers that any thread may write.
class SharedCounter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class SharedGauge {
 public:
  void add(std::int64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  void set(std::int64_t n) { value_.store(n, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

using Ladder = std::span<const std::chrono::microseconds>;

inline constexpr std::array<std::chrono::microseconds, 14> kLatencyLadder = [] {
  using std::chrono::microseconds;
  return std::array{microseconds(500),       microseconds(1'000),     microseconds(2'500),
                    microseconds(5'000),     microseconds(10'000),    microseconds(25'000),
                    microseconds(50'000),    microseconds(100'000),   microseconds(250'000),
                    microseconds(500'000),   microseconds(1'000'000), microseconds(2'500'000),
                    microseconds(5'000'000), microseconds(10'000'000)};
}();

// 1 s, 10 s, 1 min, 5 min, 30 min, 2 h, 8 h, 24 h.
inline constexpr std::array<std::chrono::microseconds, 8> kSessionLadder{
    std::chrono::seconds(1),     std::chrono::seconds(10),   std::chrono::seconds(60),
    std::chrono::seconds(300),   std::chrono::seconds(1800), std::chrono::seconds(7200),
    std::chrono::seconds(28800), std::chrono::seconds(86400)};

// Durations counted by the first bound of a ladder that is not below them. One writing thread, as Counter.
class Histogram {
 public:
  explicit Histogram(Ladder ladder = kLatencyLadder) : ladder_(ladder) {}

  void observe(Time::duration duration) {
    duration = std::max(duration, Time::duration::zero());
    const auto bound = std::ranges::lower_bound(ladder_, duration);
    counts_[static_cast<std::size_t>(bound - ladder_.begin())].add();
    nanoseconds_.add(static_cast<std::uint64_t>(std::chrono::nanoseconds(duration).count()));
  }

  Ladder ladder() const { return ladder_; }
  // Not cumulative; the last, at ladder().size(), counts what is above every bound.
  std::uint64_t count(std::size_t bucket) const { return counts_[bucket].value(); }
  double sum_seconds() const { return static_cast<double>(nanoseconds_.value()) / 1e9; }

 private:
  Ladder ladder_;
  std::array<Counter, kLatencyLadder.size() + 1> counts_;
  Counter nanoseconds_;
};

// The largest duration of the last 15 to 30 seconds: a spike stays visible to every scraper, whatever its
// interval, and whoever else asks. One writing thread.
class RecentMax {
 public:
  void observe(Time::duration duration, Time now) {
    const auto window = window_of(now);
    if (window != window_.load(std::memory_order_relaxed)) {
      last_.store(
          window == window_.load(std::memory_order_relaxed) + 1 ? this_.load(std::memory_order_relaxed) : 0,
          std::memory_order_relaxed);
      this_.store(0, std::memory_order_relaxed);
      window_.store(window, std::memory_order_relaxed);
    }
    if (duration.count() > this_.load(std::memory_order_relaxed))
      this_.store(duration.count(), std::memory_order_relaxed);
  }

  Time::duration value(Time now) const {
    const auto age = window_of(now) - window_.load(std::memory_order_relaxed);
    const auto here = this_.load(std::memory_order_relaxed);
    if (age > 1) return Time::duration::zero();
    return Time::duration(age == 1 ? here : std::max(here, last_.load(std::memory_order_relaxed)));
  }

 private:
  static std::int64_t window_of(Time now) {
    return std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count() / 15;
  }

  std::atomic<std::int64_t> window_{-2};
  std::atomic<Time::rep> this_{0};
  std::atomic<Time::rep> last_{0};
};

}  // namespace postern::observe
