#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/protocol.h"
#include "proxy/observe/worker_metrics.h"
#include "proxy/time.h"

namespace postern::observe {

struct BuildInfo {
  std::string version;
  std::string boringssl;
  std::string compiler;
};

struct MetricsSettings {
  std::size_t workers = 1;
  BuildInfo build;
  std::vector<std::string> tls_failures;  // reasons, by number; at most kMaxWords
  std::vector<std::string> decisions;     // how a backend is chosen, by number; at most kMaxWords
  std::function<Time()> now = [] { return Time::clock::now(); };
};

// A backend as it is at the moment of a scrape.
struct BackendSample {
  std::string pool;
  std::string backend;
  std::uint64_t sessions = 0;
  std::uint64_t pending_logins = 0;
  bool up = false;
  bool ejected = false;
};

struct CertificateSample {
  std::string certificate;  // a name that stays the same when the certificate is renewed: its file's
  std::chrono::system_clock::time_point not_after;
};

// What a scrape asks for. Called on the scraping thread, from several at a time: they answer from a copy, and
// never wait for a loop. One sample per backend and per certificate; further ones of the same name are left
// out. An empty function: no samples.
struct Readings {
  std::function<std::vector<BackendSample>()> backends;
  std::function<std::vector<CertificateSample>()> certificates;
  std::function<std::uint64_t()> log_lines_dropped;
};

// Names in the order of their numbers: the values of their labels.
using Names = std::vector<std::vector<std::string>>;

// Every metric of the process: workers count in their own WorkerMetrics, a scrape sums them. Made before the
// workers and destroyed after them.
class Metrics : public prometheus::Collectable {
 public:
  explicit Metrics(MetricsSettings settings);
  ~Metrics() override;

  WorkerMetrics& worker(std::size_t number) { return *workers_[number]; }
  SharedMetrics& shared() { return shared_; }

  // Give the number that a name has in WorkerMetrics: the same for the same name until the process ends, so
  // that totals go on over a reload. Called at start and at reload, by any thread; the number must reach a
  // worker by a way that orders memory (a mutex, a queue). Beyond the maximum: the number of "other".
  std::size_t listener(std::string_view name, Protocol protocol);
  std::size_t pool(std::string_view name);
  std::size_t backend(std::string_view pool, std::string_view name);
  std::size_t map(std::string_view name);

  // Set once, before the first scrape.
  void set_readings(Readings readings) { readings_ = std::move(readings); }

  std::vector<prometheus::MetricFamily> Collect() const override;
  std::string text() const;  // the body of /metrics, in Prometheus' text format

 private:
  template <auto Member>
  std::size_t number_of(Names& names, std::vector<std::string> labels);

  const MetricsSettings settings_;
  const std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
  Readings readings_;
  SharedMetrics shared_;
  std::vector<std::unique_ptr<WorkerMetrics>> workers_;

  mutable std::mutex mutex_;  // guards the names, and which elements of Numbered exist
  Names listeners_, pools_, backends_, maps_;
};

// METRICS.md: what every family means, from the same table that /metrics comes from.
std::string metrics_reference();

}  // namespace postern::observe
