#include <atomic>
#include <doctest/doctest.h>
#include <thread>

#include "tests/unit/net/pair.h"

namespace postern::net {

TEST_CASE("a loop can be woken from another thread") {
  std::atomic<int> woken{0};
  Loop* handle = nullptr;
  Loop loop({.end_of_turn = {},
             .woken =
                 [&woken, &handle] {
                   if (++woken == 1) handle->stop();
                 },
             .addresses = {}});
  handle = &loop;
  std::thread other([&loop] { loop.wake(); });
  loop.run();
  other.join();
  CHECK(woken >= 1);
}

TEST_CASE("the end of a turn comes after its events") {
  int turns = 0;
  Loop loop({.end_of_turn = [&turns](Time::duration) { return ++turns == 0; }, .woken = {}, .addresses = {}});
  run_until(loop, [&turns] { return turns > 2; });
}

TEST_CASE("the longest turn is told once") {
  Loop loop({});
  class Slow final : public Timer {
    void expired(Time now) override {
      while (std::chrono::steady_clock::now() < now + std::chrono::milliseconds(30)) {
      }
      done = true;
    }

   public:
    bool done = false;
  } slow;
  loop.timers().start(slow, loop.now());
  run_until(loop, [&slow] { return slow.done; });
  CHECK(loop.take_longest_turn() >= Duration(25));
  CHECK(loop.take_longest_turn() == Duration(0));
}

}  // namespace postern::net
