#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <thread>

#include "proxy/time.h"

namespace postern::bench {

// Tells, from a thread of its own, that the next operation of a fixed rate is due: whether or not the earlier
// ones are done, so that a proxy that stalls is charged for everything that should have happened meanwhile.
class Pacer {
 public:
  Pacer(double per_second, std::function<void()> due)
      : interval_(std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(1 / per_second))),
        began_(std::chrono::steady_clock::now()),
        thread_([this, due = std::move(due)](const std::stop_token& stop) {
          for (std::uint64_t number = 0; !stop.stop_requested(); ++number) {
            std::this_thread::sleep_until(due_at(number));
            due();
          }
        }) {}

  Time due_at(std::uint64_t number) const {
    return began_ + interval_ * static_cast<Time::duration::rep>(number);
  }

 private:
  Time::duration interval_;
  Time began_;
  std::jthread thread_;
};

}  // namespace postern::bench
