#include <algorithm>
#include <benchmark/benchmark.h>
#include <memory>
#include <string>
#include <vector>

#include "parsers/imap/front.h"
#include "parsers/proxy_header.h"
#include "proxy/net/timer_wheel.h"
#include "proxy/observe/session_line.h"
#include "proxy/observe/worker_metrics.h"
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

observe::SessionRecord a_session() {
  observe::SessionRecord record;
  record.listener = "imaps";
  record.session = "1a2b3c4d5e6f7081";
  record.client = record.peer = *Endpoint::parse("192.0.2.1:40000");
  record.local = *Endpoint::parse("198.51.100.1:993");
  record.tls_version = "TLSv1.3";
  record.tls_cipher = "TLS_AES_128_GCM_SHA256";
  record.server_name = "mail.example.org";
  record.mechanism = Mechanism::Command;
  record.user = "user1@example.org";
  record.pool = "store";
  record.backend = "s1";
  record.how = "home";
  const std::chrono::microseconds time(1234);
  for (auto* timer : {&record.handshake, &record.dialogue, &record.lookup, &record.queue, &record.connect,
                      &record.store_login, &record.login, &record.total}) {
    *timer = time;
  }
  record.bytes_in = 1000;
  record.bytes_out = 100'000;
  return record;
}

// The words of a session's one line; not their way to the file.
void session_line(benchmark::State& state) {
  const observe::SessionRecord record = a_session();
  for ([[maybe_unused]] auto _ : state) {
    observe::LogLine line(observe::Format::Logfmt, observe::Level::Info, observe::LogLine::Clock::now(),
                          "session");
    observe::write_session(line, record);
    benchmark::DoNotOptimize(line.finish());
  }
}
BENCHMARK(session_line);

// All that is counted of a session which logs in, says a command and leaves.
void session_metrics(benchmark::State& state) {
  auto metrics = std::make_unique<observe::WorkerMetrics>();
  metrics->accepted.make(0);
  metrics->pools.make(0);
  const std::chrono::microseconds time(1234);
  for ([[maybe_unused]] auto _ : state) {
    auto& of = metrics->of(Protocol::Imap);
    metrics->accepted[0].add();
    of.prelogin.add(1);
    metrics->tls_done("TLSv1.3", false);
    metrics->tls_handshake.observe(time);
    metrics->pools[0].decisions[0].add();
    metrics->backend_connect.observe(time);
    metrics->backend_login.observe(time);
    of.login.observe(time);
    of.login_ended(Mechanism::Command, Fault::None);
    of.prelogin.add(-1);
    of.spliced.add(1);
    of.bytes_in.add(10);
    of.bytes_out.add(100);
    of.spliced.add(-1);
    of.session.observe(time);
    metrics->session_closed(observe::EndedBy::Nobody, observe::EndedIn::Done);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(session_metrics);

}  // namespace
}  // namespace postern::bench

BENCHMARK_MAIN();
