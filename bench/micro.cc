#include <algorithm>
#include <benchmark/benchmark.h>
#include <string>
#include <vector>

#include "parsers/imap/front.h"
#include "parsers/proxy_header.h"
#include "proxy/net/timer_wheel.h"
#include "proxy/pool/rendezvous.h"

// The inner parts alone, for work on them: what they cost within a login is in instructions.sh.

namespace postern::bench {
namespace {

FrontSetup setup() {
  FrontSetup setup;
  setup.host_name = "bench.example.org";
  setup.secure = true;
  setup.mechanisms = {Mechanism::Plain, Mechanism::Login};
  return setup;
}

// From the greeting to the request, in so many bytes at once.
void imap_login(benchmark::State& state) {
  const std::string login =
      "a CAPABILITY\r\nb ID (\"name\" \"bench\" \"version\" \"1\")\r\nc LOGIN \"user1@example.org\" "
      "\"secret\"\r\n";
  const auto piece = static_cast<std::size_t>(state.range(0));
  for ([[maybe_unused]] auto _ : state) {
    ImapFront front(setup());
    bool asked = false;
    for (std::size_t at = 0; at < login.size(); at += piece) {
      front.receive(std::string_view(login).substr(at, piece));
      for (;;) {
        const FrontEvent event = front.next();
        if (std::holds_alternative<NeedData>(event)) break;
        if (std::holds_alternative<LoginRequest>(event)) asked = true;
      }
    }
    if (!asked) state.SkipWithError("no login was asked for");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(login.size()));
}
BENCHMARK(imap_login)->Arg(1)->Arg(4096);

void proxy_header(benchmark::State& state) {
  const std::string header = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 993\r\n";
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(parse_proxy_header(header));
}
BENCHMARK(proxy_header);

// A user's home among so many backends.
void home(benchmark::State& state) {
  std::vector<std::uint64_t> seeds;
  seeds.reserve(static_cast<std::size_t>(state.range(0)));
  for (std::int64_t i = 0; i < state.range(0); ++i)
    seeds.push_back(pool::backend_seed("s" + std::to_string(i)));
  std::uint64_t number = 0;
  for ([[maybe_unused]] auto _ : state) {
    const std::string user = pool::canonical_user("User" + std::to_string(++number) + "@example.org");
    double best = 0;
    for (const std::uint64_t seed : seeds) best = std::max(best, pool::score(user, seed, 100));
    benchmark::DoNotOptimize(best);
  }
}
BENCHMARK(home)->Arg(2)->Arg(20);

class Idle final : public net::Timer {
  void expired(Time) override {}
};

// A session's deadline moves on with each byte, among so many sessions.
void restart_timer(benchmark::State& state) {
  Time now{};
  net::TimerWheel wheel(now);
  std::vector<Idle> timers(static_cast<std::size_t>(state.range(0)));
  for (Idle& timer : timers) wheel.start(timer, now + std::chrono::minutes(31));
  std::size_t next = 0;
  for ([[maybe_unused]] auto _ : state) {
    now += std::chrono::microseconds(10);
    wheel.start(timers[next++ % timers.size()], now + std::chrono::minutes(31));
  }
}
BENCHMARK(restart_timer)->Arg(100)->Arg(50'000);

// One look of a loop at so many timers of which none is due.
void advance_timers(benchmark::State& state) {
  Time now{};
  net::TimerWheel wheel(now);
  std::vector<Idle> timers(static_cast<std::size_t>(state.range(0)));
  for (Idle& timer : timers) wheel.start(timer, now + std::chrono::hours(24));
  for ([[maybe_unused]] auto _ : state) {
    now += std::chrono::microseconds(100);
    wheel.advance(now);
    benchmark::DoNotOptimize(wheel.next());
  }
}
BENCHMARK(advance_timers)->Arg(100)->Arg(50'000);

}  // namespace
}  // namespace postern::bench

BENCHMARK_MAIN();
