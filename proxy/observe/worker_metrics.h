#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "parsers/credentials.h"
#include "parsers/fault.h"
#include "parsers/protocol.h"
#include "proxy/observe/counters.h"
#include "proxy/observe/end_code.h"

namespace postern::observe {

// How a login ended, as the alerts want to know it.
enum class LoginResult : std::uint8_t {
  Ok,
  Credentials,    // the user's own doing: wrong password, no such user, expired
  Temporary,      // a store or Postern could not; the same login may work later
  Configuration,  // will not work until someone changes a configuration
  Limit,          // too many sessions of this user or address
  Policy,         // a rule against abuse: attempts, bad commands, too long lines
  Client,         // the client left or fell silent
};
inline constexpr std::size_t kLoginResults = 7;
LoginResult result_of(Fault fault);
std::string_view name_of(LoginResult result);

// Names that a process can tell apart in metrics; what comes after them shares the name "other", so that
// discovered backends which come and go for months never make the series grow without end.
inline constexpr std::size_t kMaxListeners = 64;
inline constexpr std::size_t kMaxPools = 256;
inline constexpr std::size_t kMaxBackends = 1024;
inline constexpr std::size_t kMaxMaps = 64;
inline constexpr std::size_t kMaxWords = 16;  // reasons of TLS failures, ways to choose a backend

// What those whom logins are asked about have answered.
enum class SourceResult : std::uint8_t {
  Accepted,
  Refused,    // the user's own doing
  Temporary,  // no answer, none that makes sense, or too many questions already
};
inline constexpr std::array<std::string_view, 3> kSourceResults{"accepted", "refused", "temporary"};

enum class PolicyResult : std::uint8_t { Allowed, Rejected, Unavailable };
inline constexpr std::array<std::string_view, 3> kPolicyResults{"allowed", "rejected", "unavailable"};

enum class MapResult : std::uint8_t {
  Found,
  NotFound,
  Failed,
  Stale,  // the last good answer, whichever it was, because the map could not be asked
};
inline constexpr std::array<std::string_view, 4> kMapResults{"found", "not_found", "failed", "stale"};

struct SourceMetrics {
  std::array<Counter, kSourceResults.size()> answers;
  Histogram wait;  // each question, or response to a challenge, to its answer
  Gauge waiting;   // logins under way

  void answered(SourceResult result) { answers[static_cast<std::size_t>(result)].add(); }
};

struct PolicyMetrics {
  std::array<Counter, kPolicyResults.size()> answers;
  Histogram wait;

  void answered(PolicyResult result) { answers[static_cast<std::size_t>(result)].add(); }
};

struct MapMetrics {
  std::array<Counter, kMapResults.size()> answers;
  Counter cache_hits;

  void answered(MapResult result) { answers[static_cast<std::size_t>(result)].add(); }
};

struct ProtocolMetrics {
  Gauge prelogin;     // sessions before login
  Gauge spliced;      // sessions that are logged in
  Counter bytes_in;   // from the client after login
  Counter bytes_out;  // to the client after login
  std::array<std::array<Counter, kLoginResults>, kMechanisms> logins;
  Histogram login;  // accept to logged in
  Histogram session{kSessionLadder};

  void login_ended(Mechanism mechanism, Fault fault) {
    logins[static_cast<std::size_t>(mechanism)][static_cast<std::size_t>(result_of(fault))].add();
  }
};

struct PoolMetrics {
  Counter retries;                           // backends that were tried because another had failed
  std::array<Counter, kMaxWords> decisions;  // by MetricsSettings::decisions
  Counter tls_full, tls_resumed;             // handshakes with stores of this pool
};

struct BackendMetrics {
  std::array<Counter, kFaults> failures;

  void failed(Fault fault) { failures[static_cast<std::size_t>(fault)].add(); }
};

// One T per number that Metrics gave to a name. An element never moves.
template <class T, std::size_t Capacity>
class Numbered {
 public:
  static constexpr std::size_t kCapacity = Capacity;

  T& operator[](std::size_t number) { return *elements_[number]; }
  const T& operator[](std::size_t number) const { return *elements_[number]; }
  void make(std::size_t number) {
    elements_[number] = std::make_unique<T>();
  }  // before anyone knows the number

 private:
  std::array<std::unique_ptr<T>, Capacity> elements_;
};

// What one worker counts. Written by that worker's thread alone, read by whoever scrapes.
// Listeners, pools, backends and maps go by the numbers that Metrics::listener(), pool(), backend() and map()
// gave.
struct alignas(64) WorkerMetrics {
  Numbered<Counter, kMaxListeners> accepted;
  Numbered<PoolMetrics, kMaxPools> pools;
  Numbered<BackendMetrics, kMaxBackends> backends;
  Numbered<MapMetrics, kMaxMaps> maps;
  std::array<ProtocolMetrics, kProtocols> protocols;

  std::array<std::array<Counter, kEndedIn.size()>, kEndedBy.size()> closed;
  std::array<Counter, kFaults> login_faults;  // refused logins, and sessions that ended before login
  std::array<Counter, kFaults> refused;       // connections turned away before a word was said

  // The front's TLS; failures by MetricsSettings::tls_failures.
  std::array<std::array<Counter, 2>, 2> tls_handshakes;  // [TLS 1.3][resumed]
  std::array<Counter, kMaxWords> tls_failures;
  Histogram tls_handshake;

  SourceMetrics source;
  PolicyMetrics policy;

  Histogram backend_connect;
  Histogram backend_login;

  Gauge accept_paused;      // listening sockets that are not polled at the moment
  Gauge admission_waiting;  // newcomers in line for their next step
  Gauge buffered_bytes;     // wait until a slow peer takes them
  RecentMax loop_lag;       // how much later than due a turn of the loop began

  ProtocolMetrics& of(Protocol protocol) { return protocols[static_cast<std::size_t>(protocol)]; }
  const ProtocolMetrics& of(Protocol protocol) const { return protocols[static_cast<std::size_t>(protocol)]; }

  void session_closed(EndedBy who, EndedIn phase) { closed[index_of(who)][index_of(phase)].add(); }
  void login_fault(Fault fault) { login_faults[static_cast<std::size_t>(fault)].add(); }
  void connection_refused(Fault reason) { refused[static_cast<std::size_t>(reason)].add(); }
  void tls_done(std::string_view version, bool resumed) {
    tls_handshakes[version == "TLSv1.3" ? 1 : 0][resumed ? 1 : 0].add();
  }
};

// What belongs to the process as a whole; any thread may write.
struct SharedMetrics {
  SharedGauge config_last_reload_successful;         // 1 or 0
  SharedGauge config_last_reload_success_timestamp;  // seconds since 1970
  SharedGauge draining;                              // 1 while draining
};

}  // namespace postern::observe
