#pragma once

#include <array>
#include <cstdint>

#include "proxy/time.h"

namespace postern::net {

class TimerWheel;

// Something that has a deadline: held inside its owner, in at most one wheel. Destroying it takes it out.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer() { stop(); }

  void stop();
  bool running() const { return previous_ != nullptr; }
  Time deadline() const { return deadline_; }

 protected:
  virtual void expired(Time now) = 0;

 private:
  friend class TimerWheel;
  Timer* previous_ = nullptr;  // a ring through the slot's head
  Timer* next_ = nullptr;
  Time deadline_ = kNever;
};

// One wheel per loop, for tens of thousands of deadlines of which few ever expire: setting one is O(1) and
// allocates nothing. A deadline never fires early, and late by one slot's width at the most. Deadlines beyond
// the horizon wait in the farthest slot and are put in again when it comes round.
class TimerWheel {
 public:
  static constexpr std::chrono::milliseconds kWidth{32};
  static constexpr std::size_t kSlots = 1024;

  explicit TimerWheel(Time now);
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  ~TimerWheel();

  // (Re)starts a timer; kNever stops it.
  void start(Timer& timer, Time deadline);

  // Calls expired() of every timer that is due. A timer may start, stop or destroy any timer from there.
  void advance(Time now);

  // When advance() may have something to do next; kNever: nothing is running. Cheap enough for every turn of
  // a loop.
  Time next() const;

 private:
  class Head final : public Timer {
    void expired(Time) override {}
  };
  std::uint64_t tick_of(Time time) const;  // rounded up
  void insert(Timer& timer);

  std::array<Head, kSlots> slots_;
  std::array<std::uint64_t, kSlots / 64> occupied_{};  // a bit per slot that something was put into
  Time start_;
  std::uint64_t current_ = 0;  // every tick up to this one has been handled
};

}  // namespace postern::net
