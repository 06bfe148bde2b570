#include <atomic>
#include <doctest/doctest.h>
#include <latch>
#include <thread>

#include "tests/unit/net/pair.h"

namespace postern::net {

namespace {

constexpr std::ptrdiff_t kMoreThanThreads = 1024;  // libuv has no more, whatever UV_THREADPOOL_SIZE says

Loop::Hooks counting(std::atomic<int>& told) {
  return {.end_of_turn = {}, .woken = {}, .addresses = {}, .offloaded = [&told](AnswerTicket) { ++told; }};
}

}  // namespace

TEST_CASE("work is done on another thread, and its end told on the loop's with its ticket") {
  const AnswerTicket ticket{.slot = 3, .generation = 4};
  AnswerTicket told;
  std::thread::id teller;
  std::thread::id worker;
  Loop loop({.end_of_turn = {}, .woken = {}, .addresses = {}, .offloaded = [&told, &teller](AnswerTicket of) {
               told = of;
               teller = std::this_thread::get_id();
             }});
  loop.offload([&worker] { worker = std::this_thread::get_id(); }, ticket);
  CHECK(told == AnswerTicket{});
  run_until(loop, [&told, &ticket] { return told == ticket; });
  CHECK(teller == std::this_thread::get_id());
  CHECK(worker != std::thread::id{});
  CHECK(worker != teller);
}

TEST_CASE("a loop turns while its work is being done") {
  std::atomic<int> told{0};
  Loop loop(counting(told));
  std::latch release(1);
  loop.offload([&release] { release.wait(); }, {});
  class Tick final : public Timer {
    void expired(Time) override { ticked = true; }

   public:
    bool ticked = false;
  } tick;
  loop.timers().start(tick, loop.now());
  run_until(loop, [&tick] { return tick.ticked; });
  CHECK(told == 0);
  release.count_down();
  run_until(loop, [&told] { return told == 1; });
}

TEST_CASE("a loop that ends waits for work that has begun, and tells nobody") {
  std::atomic<int> told{0};
  std::atomic<int> begun{0};
  std::atomic<int> done{0};
  {
    Loop loop(counting(told));
    for (int i = 0; i < 100; ++i) {
      loop.offload(
          [&begun, &done] {
            ++begun;
            std::this_thread::yield();
            ++done;
          },
          {});
    }
  }
  CHECK(begun == done);
  CHECK(told == 0);
}

TEST_CASE("a loop that ends takes back work that has not begun") {
  std::atomic<int> told{0};
  std::latch release(1);
  std::atomic<bool> done{false};
  Loop busy(counting(told));
  for (std::ptrdiff_t i = 0; i < kMoreThanThreads; ++i) busy.offload([&release] { release.wait(); }, {});
  {
    std::atomic<int> of_nobody{0};
    Loop loop(counting(of_nobody));
    loop.offload([&done] { done = true; }, {});
  }
  release.count_down();
  run_until(busy, [&told] { return told == kMoreThanThreads; });
  CHECK_FALSE(done);
}

}  // namespace postern::net
