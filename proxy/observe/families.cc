#include "proxy/observe/families.h"

#include <algorithm>
#include <array>
#include <string>

namespace postern::observe {

namespace {

using prometheus::MetricType;
using Words = std::vector<std::string>;

constexpr std::array kProtocolList{Protocol::Imap, Protocol::Pop3};
constexpr std::array kMechanismList{Mechanism::Command, Mechanism::Plain,       Mechanism::Login,
                                    Mechanism::XOAuth2, Mechanism::OAuthBearer, Mechanism::External,
                                    Mechanism::Relayed};
static_assert(kProtocolList.size() == kProtocols && kMechanismList.size() == kMechanisms);

// The sum over all workers of what `number` reads from one.
template <class Read>
double total(const Scrape& scrape, Read read) {
  double sum = 0;
  for (const auto& worker : scrape.workers) sum += static_cast<double>(read(*worker).value());
  return sum;
}

template <class Read>
std::vector<const Histogram*> histograms(const Scrape& scrape, Read read) {
  std::vector<const Histogram*> parts;
  for (const auto& worker : scrape.workers) parts.push_back(&read(*worker));
  return parts;
}

template <auto Member>
void one_number(const Scrape& scrape, Samples& samples) {
  samples.add({}, total(scrape, [](const WorkerMetrics& worker) -> auto& { return worker.*Member; }));
}

template <auto Member>
void one_histogram(const Scrape& scrape, Samples& samples) {
  samples.add({}, histograms(scrape, [](const WorkerMetrics& worker) -> auto& { return worker.*Member; }));
}

template <auto Member>
void one_shared(const Scrape& scrape, Samples& samples) {
  samples.add({}, static_cast<double>((scrape.shared.*Member).value()));
}

template <auto Member>
void histogram_by_protocol(const Scrape& scrape, Samples& samples) {
  for (const Protocol protocol : kProtocolList)
    samples.add({name_of(protocol)}, histograms(scrape, [protocol](const WorkerMetrics& worker) -> auto& {
                  return worker.of(protocol).*Member;
                }));
}

template <auto Member>
void gauge_by_backend(const Scrape& scrape, Samples& samples) {
  for (const BackendSample& backend : scrape.backend_samples)
    samples.add_once({backend.pool, backend.backend}, static_cast<double>(backend.*Member));
}

template <auto Member>
void process_number(const Scrape& scrape, Samples& samples) {
  samples.add({}, static_cast<double>(scrape.process.*Member));
}

double since_1970(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

void sessions_accepted(const Scrape& scrape, Samples& samples) {
  for (std::size_t number = 0; number < scrape.listeners.size(); ++number) {
    const Words& name = scrape.listeners[number];
    samples.add({name[0], name[1]}, total(scrape, [number](const WorkerMetrics& worker) -> auto& {
                  return worker.accepted[number];
                }));
  }
}

void sessions(const Scrape& scrape, Samples& samples) {
  for (const Protocol protocol : kProtocolList) {
    const auto add = [&scrape, &samples, protocol](std::string_view state, Gauge ProtocolMetrics::* gauge) {
      samples.add({name_of(protocol), state},
                  total(scrape, [protocol, gauge](const WorkerMetrics& worker) -> auto& {
                    return worker.of(protocol).*gauge;
                  }));
    };
    add("prelogin", &ProtocolMetrics::prelogin);
    add("spliced", &ProtocolMetrics::spliced);
  }
}

void sessions_closed(const Scrape& scrape, Samples& samples) {
  for (std::size_t who = 0; who < kEndedBy.size(); ++who)
    for (std::size_t phase = 0; phase < kEndedIn.size(); ++phase) {
      const double count = total(
          scrape, [who, phase](const WorkerMetrics& worker) -> auto& { return worker.closed[who][phase]; });
      if (count > 0) samples.add({kEndedBy[who].word, kEndedIn[phase].word}, count);
    }
}

void tls_handshakes(const Scrape& scrape, Samples& samples) {
  for (std::size_t version = 0; version < 2; ++version)
    for (std::size_t resumed = 0; resumed < 2; ++resumed)
      samples.add({version == 1 ? "TLSv1.3" : "TLSv1.2", "ok", resumed == 1 ? "yes" : "no"},
                  total(scrape, [version, resumed](const WorkerMetrics& worker) -> auto& {
                    return worker.tls_handshakes[version][resumed];
                  }));
  double failed = 0;
  for (std::size_t reason = 0; reason < kMaxWords; ++reason)
    failed +=
        total(scrape, [reason](const WorkerMetrics& worker) -> auto& { return worker.tls_failures[reason]; });
  samples.add({"none", "failed", "no"}, failed);
}

void tls_handshake_failures(const Scrape& scrape, Samples& samples) {
  for (std::size_t reason = 0; reason < scrape.settings.tls_failures.size(); ++reason)
    samples.add({scrape.settings.tls_failures[reason]},
                total(scrape, [reason](const WorkerMetrics& worker) -> auto& {
                  return worker.tls_failures[reason];
                }));
}

void logins(const Scrape& scrape, Samples& samples) {
  for (const Protocol protocol : kProtocolList)
    for (const Mechanism mechanism : kMechanismList)
      for (std::size_t result = 0; result < kLoginResults; ++result) {
        const bool usual = mechanism <= Mechanism::Login;
        const double count =
            total(scrape, [protocol, mechanism, result](const WorkerMetrics& worker) -> auto& {
              return worker.of(protocol).logins[static_cast<std::size_t>(mechanism)][result];
            });
        const auto name = static_cast<LoginResult>(result);
        if (usual || count > 0) samples.add({name_of(protocol), name_of(mechanism), name_of(name)}, count);
      }
}

void login_faults(const Scrape& scrape, Samples& samples) {
  for (std::size_t fault = 1; fault < kFaults; ++fault)
    samples.add(
        {name_of(static_cast<Fault>(fault))},
        total(scrape, [fault](const WorkerMetrics& worker) -> auto& { return worker.login_faults[fault]; }));
}

void refused(const Scrape& scrape, Samples& samples) {
  for (std::size_t number = 1; number < kFaults; ++number) {
    const auto reason = static_cast<Fault>(number);
    const bool usual = reason == Fault::AddressLimit || reason == Fault::ProxyHeader ||
                       reason == Fault::ShuttingDown || reason == Fault::Exhausted;
    const double count =
        total(scrape, [number](const WorkerMetrics& worker) -> auto& { return worker.refused[number]; });
    if (usual || count > 0) samples.add({name_of(reason)}, count);
  }
}

void bytes(const Scrape& scrape, Samples& samples) {
  for (const Protocol protocol : kProtocolList) {
    const auto add = [&scrape, &samples, protocol](std::string_view direction,
                                                   Counter ProtocolMetrics::* counter) {
      samples.add({name_of(protocol), direction},
                  total(scrape, [protocol, counter](const WorkerMetrics& worker) -> auto& {
                    return worker.of(protocol).*counter;
                  }));
    };
    add("in", &ProtocolMetrics::bytes_in);
    add("out", &ProtocolMetrics::bytes_out);
  }
}

void retries(const Scrape& scrape, Samples& samples) {
  for (std::size_t pool = 0; pool < scrape.pools.size(); ++pool)
    samples.add({scrape.pools[pool][0]}, total(scrape, [pool](const WorkerMetrics& worker) -> auto& {
                  return worker.pools[pool].retries;
                }));
}

void route_decisions(const Scrape& scrape, Samples& samples) {
  for (std::size_t pool = 0; pool < scrape.pools.size(); ++pool)
    for (std::size_t how = 0; how < scrape.settings.decisions.size(); ++how) {
      const double count = total(scrape, [pool, how](const WorkerMetrics& worker) -> auto& {
        return worker.pools[pool].decisions[how];
      });
      if (count > 0) samples.add({scrape.pools[pool][0], scrape.settings.decisions[how]}, count);
    }
}

void backend_failures(const Scrape& scrape, Samples& samples) {
  for (std::size_t backend = 0; backend < scrape.backends.size(); ++backend)
    for (std::size_t fault = 1; fault < kFaults; ++fault) {
      const double count = total(scrape, [backend, fault](const WorkerMetrics& worker) -> auto& {
        return worker.backends[backend].failures[fault];
      });
      const Words& name = scrape.backends[backend];
      if (count > 0) samples.add({name[0], name[1], name_of(static_cast<Fault>(fault))}, count);
    }
}

void backend_tls_handshakes(const Scrape& scrape, Samples& samples) {
  for (std::size_t pool = 0; pool < scrape.pools.size(); ++pool) {
    const auto add = [&scrape, &samples, pool](std::string_view resumed, Counter PoolMetrics::* counter) {
      samples.add({scrape.pools[pool][0], resumed},
                  total(scrape, [pool, counter](const WorkerMetrics& worker) -> auto& {
                    return worker.pools[pool].*counter;
                  }));
    };
    add("no", &PoolMetrics::tls_full);
    add("yes", &PoolMetrics::tls_resumed);
  }
}

// `read` gives the counters by result, in the order of `words`.
template <std::size_t N, class Read>
void by_result(const Scrape& scrape, Samples& samples, const std::array<std::string_view, N>& words,
               Read read) {
  for (std::size_t i = 0; i < N; ++i)
    samples.add({words[i]},
                total(scrape, [i, read](const WorkerMetrics& worker) -> auto& { return read(worker)[i]; }));
}

// Nothing before the first duration: not everybody has such a service.
template <class Read>
void once_used(const Scrape& scrape, Samples& samples, Read read) {
  const auto parts = histograms(scrape, read);
  const auto used = [](const Histogram* part) {
    for (std::size_t i = 0; i <= part->ladder().size(); ++i)
      if (part->count(i) > 0) return true;
    return false;
  };
  if (std::ranges::any_of(parts, used)) samples.add({}, parts);
}

void auth_answers(const Scrape& scrape, Samples& samples) {
  by_result(scrape, samples, kSourceResults,
            [](const WorkerMetrics& worker) -> auto& { return worker.source.answers; });
}

void auth_wait(const Scrape& scrape, Samples& samples) {
  once_used(scrape, samples, [](const WorkerMetrics& worker) -> auto& { return worker.source.wait; });
}

void auth_waiting(const Scrape& scrape, Samples& samples) {
  samples.add({}, total(scrape, [](const WorkerMetrics& worker) -> auto& { return worker.source.waiting; }));
}

void policy_answers(const Scrape& scrape, Samples& samples) {
  by_result(scrape, samples, kPolicyResults,
            [](const WorkerMetrics& worker) -> auto& { return worker.policy.answers; });
}

void policy_wait(const Scrape& scrape, Samples& samples) {
  once_used(scrape, samples, [](const WorkerMetrics& worker) -> auto& { return worker.policy.wait; });
}

void map_answers(const Scrape& scrape, Samples& samples) {
  for (std::size_t map = 0; map < scrape.maps.size(); ++map)
    for (std::size_t result = 0; result < kMapResults.size(); ++result)
      samples.add({scrape.maps[map][0], kMapResults[result]},
                  total(scrape, [map, result](const WorkerMetrics& worker) -> auto& {
                    return worker.maps[map].answers[result];
                  }));
}

void map_cache_hits(const Scrape& scrape, Samples& samples) {
  for (std::size_t map = 0; map < scrape.maps.size(); ++map)
    samples.add({scrape.maps[map][0]}, total(scrape, [map](const WorkerMetrics& worker) -> auto& {
                  return worker.maps[map].cache_hits;
                }));
}

void certificates(const Scrape& scrape, Samples& samples) {
  for (const CertificateSample& sample : scrape.certificates)
    samples.add_once({sample.certificate}, since_1970(sample.not_after));
}

void loop_lag(const Scrape& scrape, Samples& samples) {
  for (std::size_t worker = 0; worker < scrape.workers.size(); ++worker)
    samples.add({std::to_string(worker)}, seconds(scrape.workers[worker]->loop_lag.value(scrape.now)));
}

void log_lines_dropped(const Scrape& scrape, Samples& samples) {
  samples.add({}, static_cast<double>(scrape.log_lines_dropped));
}

void build_info(const Scrape& scrape, Samples& samples) {
  const BuildInfo& build = scrape.settings.build;
  samples.add({build.version, build.boringssl, build.compiler}, 1);
}

void started(const Scrape& scrape, Samples& samples) { samples.add({}, since_1970(scrape.started)); }

constexpr auto kFamilies = std::to_array<Family>({
    {"postern_sessions_accepted_total", MetricType::Counter, "listener,protocol", "Connections accepted.",
     sessions_accepted},
    {"postern_sessions", MetricType::Gauge, "protocol,state",
     "Sessions at the moment: prelogin until the login succeeds, spliced after it.", sessions},
    {"postern_sessions_closed_total", MetricType::Counter, "who,phase",
     "Sessions that ended, by who ended them and in which phase: the two letters of the log's end code as "
     "words. "
     "A pair appears with its first session.",
     sessions_closed},
    {"postern_session_seconds", MetricType::Histogram, "protocol",
     "Length of sessions that had logged in, from accept to the end.",
     histogram_by_protocol<&ProtocolMetrics::session>},
    {"postern_bytes_total", MetricType::Counter, "protocol,direction",
     "Bytes moved after login, without TLS: in from the client, out to the client.", bytes},
    {"postern_refused_total", MetricType::Counter, "reason",
     "Connections turned away before a word was said, by fault.", refused},
    {"postern_accept_paused", MetricType::Gauge, "",
     "Listening sockets that accept nothing at the moment: the session limit is reached, or descriptors ran "
     "out.",
     one_number<&WorkerMetrics::accept_paused>},
    {"postern_admission_waiting", MetricType::Gauge, "",
     "Newcomers in line for their TLS handshake or their store: more came than the loops take beside their "
     "work.",
     one_number<&WorkerMetrics::admission_waiting>},

    {"postern_logins_total", MetricType::Counter, "protocol,mechanism,result",
     "Logins by result: ok; credentials: refused as the user's own doing; temporary: a store, a source or "
     "Postern could not; configuration: will not work until a configuration changes; limit: too many "
     "sessions; "
     "policy: a rule against abuse; client: left or fell silent. xoauth2, oauthbearer, external and relayed "
     "appear with their first login.",
     logins},
    {"postern_login_faults_total", MetricType::Counter, "fault",
     "Faults of refused logins and of sessions that ended before login: the log's fault.", login_faults},
    {"postern_login_seconds", MetricType::Histogram, "protocol", "From accept to logged in.",
     histogram_by_protocol<&ProtocolMetrics::login>},

    {"postern_auth_answers_total", MetricType::Counter, "result",
     "Answers of the source of identities ([auth] by, unless it is the store): accepted; refused as the "
     "user's own doing; temporary: none in time, none that makes sense, or too many questions already.",
     auth_answers},
    {"postern_auth_seconds", MetricType::Histogram, "",
     "From each question to the source of identities, or response to its challenge, to its answer. Appears "
     "with the first.",
     auth_wait},
    {"postern_auth_waiting", MetricType::Gauge, "",
     "Logins that wait for the source of identities, those whose client has a challenge to answer included.",
     auth_waiting},
    {"postern_policy_answers_total", MetricType::Counter, "result",
     "Answers of the policy service, to the question before and the one after the password was checked: "
     "allowed, perhaps after a wait; rejected; unavailable: none in time, none that makes sense, or too many "
     "questions already.",
     policy_answers},
    {"postern_policy_seconds", MetricType::Histogram, "",
     "From each question to the policy service to its answer. Appears with the first.", policy_wait},
    {"postern_map_answers_total", MetricType::Counter, "map,result",
     "Answers of maps: found; not_found; failed: not answered, or with something that is no place; stale: "
     "the last good answer, because the map could not be asked.",
     map_answers},
    {"postern_map_cache_hits_total", MetricType::Counter, "map",
     "Answers of maps that came fresh from the cache, without a question.", map_cache_hits},

    {"postern_tls_handshakes_total", MetricType::Counter, "version,result,resumed",
     "TLS handshakes with clients. A failed one has no version yet.", tls_handshakes},
    {"postern_tls_handshake_failures_total", MetricType::Counter, "reason",
     "Failed TLS handshakes with clients.", tls_handshake_failures},
    {"postern_tls_handshake_seconds", MetricType::Histogram, "",
     "TLS handshakes with clients, from the first byte to the last.",
     one_histogram<&WorkerMetrics::tls_handshake>},
    {"postern_tls_certificate_not_after_timestamp_seconds", MetricType::Gauge, "certificate",
     "When the certificate expires.", certificates},

    {"postern_route_decisions_total", MetricType::Counter, "pool,how",
     "Backends chosen, by how: the log's how. A pair appears with its first choice.", route_decisions},
    {"postern_retries_total", MetricType::Counter, "pool",
     "Backends that were tried because another had failed.", retries},
    {"postern_backend_connect_seconds", MetricType::Histogram, "", "Connecting to a backend.",
     one_histogram<&WorkerMetrics::backend_connect>},
    {"postern_backend_login_seconds", MetricType::Histogram, "", "Greeting, TLS and login at a backend.",
     one_histogram<&WorkerMetrics::backend_login>},
    {"postern_backend_failures_total", MetricType::Counter, "pool,backend,fault",
     "Failures of a backend, health checks left out. A fault appears with its first failure.",
     backend_failures},
    {"postern_backend_tls_handshakes_total", MetricType::Counter, "pool,resumed",
     "TLS handshakes with backends.", backend_tls_handshakes},
    {"postern_backend_up", MetricType::Gauge, "pool,backend", "1 while the backend's health check passes.",
     gauge_by_backend<&BackendSample::up>},
    {"postern_backend_ejected", MetricType::Gauge, "pool,backend",
     "1 while the backend gets no new sessions because its logins failed in a row.",
     gauge_by_backend<&BackendSample::ejected>},
    {"postern_backend_sessions", MetricType::Gauge, "pool,backend", "Sessions at the backend.",
     gauge_by_backend<&BackendSample::sessions>},
    {"postern_backend_pending_logins", MetricType::Gauge, "pool,backend", "Logins in flight at the backend.",
     gauge_by_backend<&BackendSample::pending_logins>},

    {"postern_config_last_reload_successful", MetricType::Gauge, "",
     "1 when the last reload (or the start) took the configuration, 0 when the old one was kept.",
     one_shared<&SharedMetrics::config_last_reload_successful>},
    {"postern_config_last_reload_success_timestamp_seconds", MetricType::Gauge, "",
     "When a configuration was taken last.",
     one_shared<&SharedMetrics::config_last_reload_success_timestamp>},
    {"postern_draining", MetricType::Gauge, "", "1 while sessions are asked to leave.",
     one_shared<&SharedMetrics::draining>},
    {"postern_loop_lag_seconds", MetricType::Gauge, "worker",
     "The longest that a turn of the worker's loop began after its time, in the last 15 to 30 seconds.",
     loop_lag},
    {"postern_buffered_bytes", MetricType::Gauge, "",
     "Bytes that wait until a slow client, store or service takes them.",
     one_number<&WorkerMetrics::buffered_bytes>},
    {"postern_log_lines_dropped_total", MetricType::Counter, "",
     "Lines of the log that are lost, because its target was too slow or failed.", log_lines_dropped},
    {"postern_build_info", MetricType::Gauge, "version,boringssl,compiler", "1; the labels tell what runs.",
     build_info},

    {"process_start_time_seconds", MetricType::Gauge, "", "When the process started.", started},
    {"process_cpu_seconds_total", MetricType::Counter, "", "Processor time of all threads.",
     process_number<&ProcessNumbers::cpu_seconds>},
    {"process_resident_memory_bytes", MetricType::Gauge, "", "Resident memory.",
     process_number<&ProcessNumbers::resident_bytes>},
    {"process_open_fds", MetricType::Gauge, "", "Open file descriptors.",
     process_number<&ProcessNumbers::open_fds>},
    {"process_max_fds", MetricType::Gauge, "", "File descriptors that may be open.",
     process_number<&ProcessNumbers::max_fds>},
});

}  // namespace

std::span<const Family> families() { return kFamilies; }

}  // namespace postern::observe
