#include "proxy/observe/metrics.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>
#include <unistd.h>

#include "proxy/observe/families.h"
#include "proxy/observe/process.h"
#include "tests/temporary_directory.h"

using namespace postern;
using namespace postern::observe;
using namespace std::chrono_literals;

namespace {

MetricsSettings settings_of(std::size_t workers = 2) {
  return {.workers = workers,
          .build = {"0.1.0", "API 17", "gcc \"12.2\""},
          .tls_failures = {"none", "not_tls", "unsupported_version", "no_shared_cipher", "no_shared_protocol",
                           "alert_received", "certificate_expired", "certificate_name",
                           "certificate_untrusted", "protocol"},
          .decisions = {"home", "spill", "pinned", "least", "priority", "fixed"},
          .now = [] { return Time{100s}; }};
}

// The value of a series, written as /metrics shows it.
std::string value_of(const Metrics& metrics, const std::string& series) {
  std::istringstream text(metrics.text());
  for (std::string line; std::getline(text, line);)
    if (line.starts_with(series + " ")) return line.substr(series.size() + 1);
  return "absent";
}

std::size_t count_series(const Metrics& metrics) {
  std::istringstream text(metrics.text());
  std::size_t count = 0;
  for (std::string line; std::getline(text, line);) count += line.starts_with('#') ? 0 : 1;
  return count;
}

struct Numbers {
  std::vector<std::size_t> listeners, pools, backends, maps;
};

// Two listeners, one pool, twenty backends, one map.
Numbers name_all(Metrics& metrics) {
  Numbers numbers;
  numbers.listeners = {metrics.listener("imaps", Protocol::Imap), metrics.listener("pop3s", Protocol::Pop3)};
  numbers.pools = {metrics.pool("store")};
  numbers.maps = {metrics.map("homes")};
  for (int i = 1; i <= 20; ++i) numbers.backends.push_back(metrics.backend("store", "s" + std::to_string(i)));
  metrics.set_readings({.backends =
                            [] {
                              std::vector<BackendSample> samples;
                              for (int i = 1; i <= 20; ++i)
                                samples.push_back({.pool = "store",
                                                   .backend = "s" + std::to_string(i),
                                                   .sessions = 5,
                                                   .pending_logins = 1,
                                                   .up = i != 7,
                                                   .ejected = i == 8});
                              return samples;
                            },
                        .certificates = [] { return std::vector<CertificateSample>{{"tls.crt", {}}}; },
                        .log_lines_dropped = [] { return std::uint64_t{42}; }});
  return numbers;
}

// A store is blamed only in phases that have to do with one.
bool can_happen(EndedBy who, EndedIn phase) {
  return who != EndedBy::Store || index_of(phase) >= index_of(EndedIn::Connect);
}

// Everything that can be seen on one machine in a bad month.
void live_through_everything(Metrics& metrics, const Numbers& numbers) {
  for (std::size_t number = 0; number < 2; ++number) {
    WorkerMetrics& worker = metrics.worker(number);
    for (const std::size_t listener : numbers.listeners) worker.accepted[listener].add();
    for (const auto& who : kEndedBy)
      for (const auto& phase : kEndedIn)
        if (can_happen(who.letter, phase.letter)) worker.session_closed(who.letter, phase.letter);
    for (std::size_t fault = 1; fault < kFaults; ++fault) {
      worker.login_fault(static_cast<Fault>(fault));
      const Blame blame = describe(static_cast<Fault>(fault)).blame;
      constexpr std::array kOfNoBackend{Fault::NoBackend, Fault::MasterRefused, Fault::LookupInvalid,
                                        Fault::HostNotAllowed, Fault::NoStorePassword};
      const bool of_one_backend =
          std::ranges::find(kOfNoBackend, static_cast<Fault>(fault)) == kOfNoBackend.end();
      if (of_one_backend && (blame == Blame::Store || blame == Blame::Configuration))
        for (const std::size_t backend : numbers.backends)
          worker.backends[backend].failed(static_cast<Fault>(fault));
    }
    for (const std::size_t pool : numbers.pools)
      for (std::size_t how = 0; how < 7; ++how) worker.pools[pool].decisions[how].add();
    worker.source.wait.observe(1ms);
    worker.policy.wait.observe(1ms);
    for (const Fault reason :
         {Fault::AddressLimit, Fault::ProxyHeader, Fault::ShuttingDown, Fault::Exhausted})
      worker.connection_refused(reason);
  }
}

}  // namespace

TEST_CASE("a scrape sums what the workers counted") {
  Metrics metrics(settings_of());
  const Numbers numbers = name_all(metrics);
  for (std::size_t number = 0; number < 2; ++number) {
    WorkerMetrics& worker = metrics.worker(number);
    const std::uint64_t times = number + 1;
    worker.accepted[numbers.listeners[1]].add(times);
    worker.of(Protocol::Imap).prelogin.add(3);
    worker.of(Protocol::Imap).prelogin.add(-1);
    worker.of(Protocol::Pop3).bytes_out.add(1000 * times);
    worker.of(Protocol::Imap).login_ended(Mechanism::Plain, Fault::None);
    worker.of(Protocol::Imap).login_ended(Mechanism::Plain, Fault::StoreTimeout);
    worker.of(Protocol::Imap).login.observe(7ms);
    worker.of(Protocol::Imap).login.observe(20s);
    worker.session_closed(EndedBy::ClientTimeout, EndedIn::Data);
    worker.login_fault(Fault::StoreTimeout);
    worker.tls_done("TLSv1.3", true);
    worker.tls_done("TLSv1.2", false);
    worker.tls_failures[1].add();
    worker.pools[numbers.pools[0]].retries.add(times);
    worker.pools[numbers.pools[0]].tls_resumed.add();
    worker.pools[numbers.pools[0]].decisions[1].add();
    worker.backends[numbers.backends[2]].failed(Fault::ConnectFailed);
    worker.connection_refused(Fault::Exhausted);
    worker.accept_paused.set(1);
    worker.source.answered(SourceResult::Refused);
    worker.source.wait.observe(30ms);
    worker.source.waiting.add(2);
    worker.policy.answered(PolicyResult::Unavailable);
    worker.policy.wait.observe(30ms);
    worker.maps[numbers.maps[0]].answered(MapResult::Stale);
    worker.maps[numbers.maps[0]].cache_hits.add(times);
    worker.buffered_bytes.add(4096);
    worker.loop_lag.observe(Time::duration(20ms * times), Time{99s});
  }
  metrics.shared().draining.set(1);

  struct Row {
    std::string series;
    std::string value;
  };
  const Row rows[] = {
      {R"(postern_sessions_accepted_total{listener="pop3s",protocol="pop3"})", "3"},
      {R"(postern_sessions_accepted_total{listener="imaps",protocol="imap"})", "0"},
      {R"(postern_sessions{protocol="imap",state="prelogin"})", "4"},
      {R"(postern_sessions{protocol="imap",state="spliced"})", "0"},
      {R"(postern_bytes_total{protocol="pop3",direction="out"})", "3000"},
      {R"(postern_logins_total{protocol="imap",mechanism="plain",result="ok"})", "2"},
      {R"(postern_logins_total{protocol="imap",mechanism="plain",result="temporary"})", "2"},
      {R"(postern_logins_total{protocol="pop3",mechanism="login",result="policy"})", "0"},
      {R"(postern_login_faults_total{fault="store_timeout"})", "2"},
      {R"(postern_login_seconds_bucket{protocol="imap",le="0.005"})", "0"},
      {R"(postern_login_seconds_bucket{protocol="imap",le="0.01"})", "2"},
      {R"(postern_login_seconds_bucket{protocol="imap",le="10"})", "2"},
      {R"(postern_login_seconds_bucket{protocol="imap",le="+Inf"})", "4"},
      {R"(postern_login_seconds_count{protocol="imap"})", "4"},
      {R"(postern_login_seconds_sum{protocol="imap"})", "40.014"},
      {R"(postern_sessions_closed_total{who="client_timeout",phase="data"})", "2"},
      {R"(postern_sessions_closed_total{who="nobody",phase="done"})", "absent"},
      {R"(postern_auth_answers_total{result="refused"})", "2"},
      {R"(postern_auth_answers_total{result="accepted"})", "0"},
      {R"(postern_auth_seconds_bucket{le="0.05"})", "2"},
      {R"(postern_auth_waiting)", "4"},
      {R"(postern_policy_answers_total{result="unavailable"})", "2"},
      {R"(postern_policy_seconds_count)", "2"},
      {R"(postern_map_answers_total{map="homes",result="stale"})", "2"},
      {R"(postern_map_answers_total{map="homes",result="not_found"})", "0"},
      {R"(postern_map_cache_hits_total{map="homes"})", "3"},
      {R"(postern_tls_handshakes_total{version="TLSv1.3",result="ok",resumed="yes"})", "2"},
      {R"(postern_tls_handshakes_total{version="TLSv1.2",result="ok",resumed="no"})", "2"},
      {R"(postern_tls_handshakes_total{version="none",result="failed",resumed="no"})", "2"},
      {R"(postern_tls_handshake_failures_total{reason="not_tls"})", "2"},
      {R"(postern_retries_total{pool="store"})", "3"},
      {R"(postern_backend_tls_handshakes_total{pool="store",resumed="yes"})", "2"},
      {R"(postern_route_decisions_total{pool="store",how="spill"})", "2"},
      {R"(postern_backend_failures_total{pool="store",backend="s3",fault="connect_failed"})", "2"},
      {R"(postern_refused_total{reason="exhausted"})", "2"},
      {R"(postern_refused_total{reason="address_limit"})", "0"},
      {R"(postern_accept_paused)", "2"},
      {R"(postern_buffered_bytes)", "8192"},
      {R"(postern_loop_lag_seconds{worker="0"})", "0.02"},
      {R"(postern_loop_lag_seconds{worker="1"})", "0.04"},
      {R"(postern_backend_up{pool="store",backend="s7"})", "0"},
      {R"(postern_backend_up{pool="store",backend="s8"})", "1"},
      {R"(postern_backend_ejected{pool="store",backend="s8"})", "1"},
      {R"(postern_backend_sessions{pool="store",backend="s20"})", "5"},
      {R"(postern_draining)", "1"},
      {R"(postern_log_lines_dropped_total)", "42"},
      {R"(postern_build_info{version="0.1.0",boringssl="API 17",compiler="gcc \"12.2\""})", "1"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.series);
    CHECK(value_of(metrics, row.series) == row.value);
  }
}

TEST_CASE("the result of a login follows from its fault") {
  struct Row {
    Fault fault;
    std::string_view result;
  };
  const Row rows[] = {
      {Fault::None, "ok"},
      {Fault::BadCredentials, "credentials"},
      {Fault::PasswordExpired, "credentials"},
      {Fault::NoRoute, "credentials"},
      {Fault::StoreRefused, "credentials"},
      {Fault::UserLimit, "limit"},
      {Fault::AddressLimit, "limit"},
      {Fault::NoBackend, "temporary"},
      {Fault::StoreTls, "temporary"},
      {Fault::AuthUnavailable, "temporary"},
      {Fault::LookupUnavailable, "temporary"},
      {Fault::PolicyRefused, "credentials"},
      {Fault::HostNotAllowed, "configuration"},
      {Fault::ShuttingDown, "temporary"},
      {Fault::StoreNoTls, "configuration"},
      {Fault::Loop, "configuration"},
      {Fault::TooManyAttempts, "policy"},
      {Fault::LineTooLong, "policy"},
      {Fault::ClientClosed, "client"},
      {Fault::LoginTimeout, "client"},
  };
  for (const Row& row : rows) {
    CAPTURE(name_of(row.fault));
    CHECK(name_of(result_of(row.fault)) == row.result);
  }
}

TEST_CASE("names keep their numbers over a reload, so that totals go on") {
  Metrics metrics(settings_of());
  const std::size_t before = metrics.backend("store", "s1");
  CHECK(metrics.backend("other-pool", "s1") != before);
  metrics.worker(0).backends[before].failed(Fault::StoreClosed);
  CHECK(metrics.backend("store", "s1") == before);
  metrics.worker(0).backends[before].failed(Fault::StoreClosed);
  CHECK(value_of(metrics,
                 R"(postern_backend_failures_total{pool="store",backend="s1",fault="store_closed"})") == "2");
  CHECK(metrics.listener("mail", Protocol::Imap) != metrics.listener("mail", Protocol::Pop3));
  CHECK(metrics.pool("a") == metrics.pool("a"));
}

TEST_CASE("names beyond the maximum share one number, called other") {
  Metrics metrics(settings_of(1));
  for (std::size_t i = 0; i + 1 < kMaxListeners; ++i)
    CHECK(metrics.listener("l" + std::to_string(i), Protocol::Imap) == i);
  const std::size_t other = metrics.listener("one too many", Protocol::Imap);
  CHECK(other == kMaxListeners - 1);
  CHECK(metrics.listener("another", Protocol::Pop3) == other);
  CHECK(metrics.listener("l0", Protocol::Imap) == 0);
  metrics.worker(0).accepted[other].add();
  CHECK(value_of(metrics, R"(postern_sessions_accepted_total{listener="other",protocol="other"})") == "1");
}

TEST_CASE("who waits is counted until it does not, whatever becomes of it") {
  Gauge gauge;
  {
    Held one(gauge);
    Held other(gauge);
    CHECK(gauge.value() == 2);
    Held moved(std::move(one));
    CHECK(gauge.value() == 2);
    other = std::move(moved);
    CHECK(gauge.value() == 1);
    other = Held(gauge);
    CHECK(gauge.value() == 1);
    other.release();
    CHECK(gauge.value() == 0);
  }
  CHECK(gauge.value() == 0);
}

TEST_CASE("a service that nobody has asked shows no latency") {
  const Metrics metrics(settings_of());
  CHECK(value_of(metrics, "postern_auth_seconds_count") == "absent");
  CHECK(value_of(metrics, "postern_policy_seconds_count") == "absent");
}

TEST_CASE("a name given twice by a reading gives one series") {
  Metrics metrics(settings_of(1));
  metrics.set_readings({.backends = [] { return std::vector<BackendSample>{{"p", "b", 1}, {"p", "b", 9}}; },
                        .certificates = [] { return std::vector<CertificateSample>{{"c", {}}, {"c", {}}}; },
                        .log_lines_dropped = {}});
  const std::string text = metrics.text();
  const auto first = text.find("postern_backend_sessions{");
  CHECK(first != std::string::npos);
  CHECK(text.find("postern_backend_sessions{", first + 1) == std::string::npos);
}

TEST_CASE("workers count, names are added and scrapes run at the same time") {
  Metrics metrics(settings_of());
  std::atomic<bool> done = false;
  std::jthread scraper([&metrics, &done] {
    while (!done) REQUIRE(metrics.text().size() > 1000);
  });
  {
    std::vector<std::jthread> workers;
    for (std::size_t number = 0; number < 2; ++number)
      workers.emplace_back([&metrics, number] {
        for (int i = 0; i < 200; ++i) {
          const std::size_t backend = metrics.backend("store", "s" + std::to_string(i % 40));
          metrics.worker(number).backends[backend].failed(Fault::ConnectFailed);
          metrics.worker(number).of(Protocol::Imap).login.observe(1ms);
          metrics.worker(number).loop_lag.observe(1ms, Time{100s});
        }
      });
  }
  done = true;
  scraper.join();
  CHECK(value_of(metrics, R"(postern_login_seconds_count{protocol="imap"})") == "400");
}

TEST_CASE("series stay below 800 for 20 backends, 2 listeners and 2 workers") {
  Metrics metrics(settings_of());
  const Numbers numbers = name_all(metrics);
  const std::size_t at_start = count_series(metrics);
  live_through_everything(metrics, numbers);
  const std::size_t at_worst = count_series(metrics);
  MESSAGE("series at start: " << at_start << ", after every possible event: " << at_worst);
  CHECK(at_start < 350);
  CHECK(at_worst < 800);
}

TEST_CASE("promtool finds nothing to complain about") {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) {
    MESSAGE("promtool (Debian package prometheus) is missing: the format of /metrics is not checked");
    return;
  }
  Metrics metrics(settings_of());
  live_through_everything(metrics, name_all(metrics));
  const TemporaryDirectory directory;
  std::ofstream(directory / "metrics.txt") << metrics.text();
  const std::string command =
      "promtool check metrics <" + (directory / "metrics.txt") + " >" + (directory / "lint.txt") + " 2>&1";
  const int status = std::system(command.c_str());
  CHECK(status == 0);
  CHECK(content_of(directory / "lint.txt") == "");
}

TEST_CASE("every family has a help text, a unit and words that Prometheus accepts") {
  std::set<std::string_view> names;
  for (const Family& family : families()) {
    CAPTURE(family.name);
    CHECK(names.insert(family.name).second);
    CHECK(family.help.ends_with('.'));
    CHECK(family.name.ends_with("_total") == (family.type == prometheus::MetricType::Counter));
    CHECK((family.name.starts_with("postern_") || family.name.starts_with("process_")));
    for (const std::string_view unbounded : {"user", "client", "address", "sni", "session"})
      CHECK(family.labels.find(unbounded) == std::string_view::npos);
  }
}

TEST_CASE("the process's own numbers are read") {
  const auto before = read_process();
  CHECK(before.cpu_seconds > 0);
  CHECK(before.resident_bytes > 1'000'000);
  CHECK(before.open_fds >= 3);
  CHECK(before.max_fds >= before.open_fds);
  const int more = ::dup(1);
  CHECK(read_process().open_fds == before.open_fds + 1);
  ::close(more);
}

TEST_CASE("METRICS.md is what the table says (POSTERN_WRITE_REFERENCE=1 writes it)") {
  const std::string path = POSTERN_OBSERVE_DIR "/METRICS.md";
  if (std::getenv("POSTERN_WRITE_REFERENCE") != nullptr) std::ofstream(path) << metrics_reference();
  CHECK(content_of(path) == metrics_reference());
}
