#pragma once

#include <cstdint>
#include <memory>
#include <prometheus/metric_family.h>
#include <span>
#include <string_view>
#include <vector>

#include "proxy/observe/metrics.h"
#include "proxy/observe/process.h"
#include "proxy/observe/samples.h"

namespace postern::observe {

// What one scrape reads: numbers of the workers, and everything else as it was when the scrape began.
struct Scrape {
  const MetricsSettings& settings;
  std::span<const std::unique_ptr<WorkerMetrics>> workers;
  const SharedMetrics& shared;
  const Names& listeners;
  const Names& pools;
  const Names& backends;
  const Names& maps;
  std::vector<BackendSample> backend_samples;
  std::vector<CertificateSample> certificates;
  std::uint64_t log_lines_dropped = 0;
  std::chrono::system_clock::time_point started;
  ProcessNumbers process;
  Time now;
};

// One family of metrics. /metrics and METRICS.md come from the table of all of them.
struct Family {
  std::string_view name;
  prometheus::MetricType type;
  std::string_view labels;  // their names, separated by commas
  std::string_view help;
  void (*collect)(const Scrape& scrape, Samples& samples);
};
std::span<const Family> families();

}  // namespace postern::observe
