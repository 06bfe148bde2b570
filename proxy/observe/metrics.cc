#include "proxy/observe/metrics.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <prometheus/text_serializer.h>
#include <stdexcept>
#include <utility>

#include "proxy/observe/families.h"

namespace postern::observe {

namespace {

std::string_view name_of(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return "counter";
    case prometheus::MetricType::Histogram:
      return "histogram";
    default:
      return "gauge";
  }
}

}  // namespace

Metrics::Metrics(MetricsSettings settings) : settings_(std::move(settings)) {
  if (settings_.tls_failures.size() > kMaxWords || settings_.decisions.size() > kMaxWords)
    throw std::length_error("more words for a label than kMaxWords");
  for (std::size_t i = 0; i < settings_.workers; ++i) workers_.push_back(std::make_unique<WorkerMetrics>());
}

Metrics::~Metrics() = default;

template <auto Member>
std::size_t Metrics::number_of(Names& names, std::vector<std::string> labels) {
  constexpr std::size_t kLast =
      std::remove_reference_t<decltype(std::declval<WorkerMetrics>().*Member)>::kCapacity - 1;
  const std::scoped_lock lock(mutex_);
  if (const auto known = std::ranges::find(names, labels); known != names.end())
    return static_cast<std::size_t>(known - names.begin());
  if (names.size() > kLast) return kLast;
  if (names.size() == kLast) std::ranges::fill(labels, "other");
  const std::size_t number = names.size();
  for (const auto& worker : workers_) ((*worker).*Member).make(number);
  names.push_back(std::move(labels));
  return number;
}

std::size_t Metrics::listener(std::string_view name, Protocol protocol) {
  return number_of<&WorkerMetrics::accepted>(listeners_,
                                             {std::string(name), std::string(postern::name_of(protocol))});
}

std::size_t Metrics::pool(std::string_view name) {
  return number_of<&WorkerMetrics::pools>(pools_, {std::string(name)});
}

std::size_t Metrics::backend(std::string_view pool, std::string_view name) {
  return number_of<&WorkerMetrics::backends>(backends_, {std::string(pool), std::string(name)});
}

std::size_t Metrics::map(std::string_view name) {
  return number_of<&WorkerMetrics::maps>(maps_, {std::string(name)});
}

std::vector<prometheus::MetricFamily> Metrics::Collect() const {
  // Asked before the lock is taken: who answers may hold a lock under which it asks for numbers.
  auto backend_samples = readings_.backends ? readings_.backends() : std::vector<BackendSample>();
  auto certificates = readings_.certificates ? readings_.certificates() : std::vector<CertificateSample>();
  const std::uint64_t dropped = readings_.log_lines_dropped ? readings_.log_lines_dropped() : 0;

  const std::scoped_lock lock(mutex_);
  const Scrape scrape{.settings = settings_,
                      .workers = workers_,
                      .shared = shared_,
                      .listeners = listeners_,
                      .pools = pools_,
                      .backends = backends_,
                      .maps = maps_,
                      .backend_samples = std::move(backend_samples),
                      .certificates = std::move(certificates),
                      .log_lines_dropped = dropped,
                      .started = started_,
                      .process = read_process(),
                      .now = settings_.now()};
  std::vector<prometheus::MetricFamily> collected;
  for (const Family& family : families()) {
    prometheus::MetricFamily& out = collected.emplace_back();
    out.name = family.name;
    out.help = family.help;
    out.type = family.type;
    Samples samples(family, out.metric);
    family.collect(scrape, samples);
  }
  std::erase_if(collected, [](const prometheus::MetricFamily& family) { return family.metric.empty(); });
  return collected;
}

std::string Metrics::text() const { return prometheus::TextSerializer().Serialize(Collect()); }

std::string metrics_reference() {
  std::string out =
      "# Metrics\n"
      "\n"
      "Generated from the table in families.cc; a test compares.\n"
      "\n"
      "No label ever holds a user, an address or anything else that a client can choose. Numbers of all "
      "workers\n"
      "are summed; totals go on over a reload.\n"
      "\n"
      "| Name | Type | Labels | Meaning |\n"
      "|---|---|---|---|\n";
  for (const Family& family : families())
    fmt::format_to(std::back_inserter(out), "| `{}` | {} | {} | {} |\n", family.name, name_of(family.type),
                   family.labels, family.help);
  return out;
}

}  // namespace postern::observe
