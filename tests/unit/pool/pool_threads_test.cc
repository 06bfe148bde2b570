#include <atomic>
#include <doctest/doctest.h>
#include <memory>
#include <thread>
#include <vector>

#include "proxy/pool/capabilities.h"
#include "proxy/pool/pool.h"
#include "tests/unit/pool/world.h"

namespace postern::pool {
namespace {

template <typename Work>
void in_threads(int count, Work work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([work, i] { work(i); });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("threads that log in, fail, check and reload at once leave every count at zero") {
  for (const auto balance : {conf::Balance::Hash, conf::Balance::Least, conf::Balance::RoundRobin}) {
    conf::Pool settings = pool_of(6, balance);
    settings.limits = {.sessions = 40, .pending_logins = 3};
    const Pool first(settings, nullptr, kStart);
    const Pool second(settings, &first, kStart);
    std::atomic<unsigned> most{0};
    in_threads(4, [&](int thread) {
      const Pool& pool = thread % 2 == 0 ? first : second;
      std::vector<SessionTicket> sessions;
      for (int i = 0; i < 2'000; ++i) {
        const Time now = kStart + std::chrono::milliseconds(i);
        const auto choice = pool.pick("user" + std::to_string(i * 7 + thread), {}, now);
        if (!choice) {
          sessions.clear();
          continue;
        }
        const auto login = begin_login(*choice->backend);
        const unsigned pending = choice->backend->pending_logins();
        unsigned seen = most;
        while (pending > seen && !most.compare_exchange_weak(seen, pending)) {
        }
        if (auto session = open_session(*choice->backend)) sessions.push_back(std::move(*session));
        if (sessions.size() > 30) sessions.clear();
        pool.note(*choice->backend, i % 3 == 0 ? Fault::None : Fault::StoreClosed, now);
        pool.report(*choice->backend, i % 5 != 0, now, 0.5);
      }
    });
    CHECK(most <= 3);
    for (const Backend& backend : first.backends()) {
      CHECK(backend.sessions() == 0);
      CHECK(backend.pending_logins() == 0);
    }
  }
}

TEST_CASE("threads never eject more than the pool can spare, over a reload neither") {
  constexpr std::size_t kThreads = 2;
  constexpr std::size_t kRounds = 2'000;
  conf::Pool settings = pool_of(6);
  settings.health.eject.errors = 1;
  settings.health.eject.percent = 17;  // one of six
  std::vector<std::unique_ptr<Pool>> first, second;
  for (std::size_t round = 0; round < kRounds; ++round) {
    first.push_back(std::make_unique<Pool>(settings, nullptr, kStart));
    second.push_back(std::make_unique<Pool>(settings, first.back().get(), kStart));
  }
  std::atomic<std::size_t> arrived{0};
  std::atomic<std::size_t> ejected{0};
  in_threads(static_cast<int>(kThreads), [&](int thread) {
    for (std::size_t round = 0; round < kRounds; ++round) {
      const Pool& pool = thread % 2 == 0 ? *first[round] : *second[round];
      const Backend& backend = pool.backends()[static_cast<std::size_t>(thread)];
      // Spinning: threads that a barrier wakes start too far apart to meet.
      for (++arrived; arrived < kThreads * (round + 1);) std::this_thread::yield();
      if (pool.note(backend, Fault::ConnectFailed, kStart) == Change::Ejected) ++ejected;
    }
  });
  CHECK(ejected == kRounds);
}

TEST_CASE("threads that learn and read capabilities see whole lists") {
  const Pool pool(pool_of(2), nullptr, kStart);
  const Pool* const pools[] = {&pool};
  Capabilities capabilities;
  capabilities.set_pools(pools);
  in_threads(4, [&](int thread) {
    for (int i = 0; i < 500; ++i) {
      if (thread < 2) {
        const Backend& backend = pool.backends()[static_cast<std::size_t>(thread)];
        capabilities.learn(backend, Protocol::Imap, i % 2 == 0 ? "A IDLE" : "IDLE A B");
      } else {
        const auto shared = capabilities.shared(Protocol::Imap);
        if (shared) CHECK(shared->find("IDLE") != std::string::npos);
      }
    }
  });
}

}  // namespace postern::pool
