#include "proxy/observe/samples.h"

#include <algorithm>
#include <limits>
#include <string>

#include "proxy/observe/families.h"

namespace postern::observe {

Samples::Samples(const Family& family, std::vector<prometheus::ClientMetric>& metrics)
    : family_(family), metrics_(metrics) {
  for (std::string_view rest = family.labels; !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    names_.push_back(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
}

prometheus::ClientMetric& Samples::append(std::initializer_list<std::string_view> labels) {
  prometheus::ClientMetric& metric = metrics_.emplace_back();
  metric.label.reserve(names_.size());
  const std::string_view* value = labels.begin();
  for (const std::string_view name : names_)
    metric.label.push_back({std::string(name), std::string(*value++)});
  return metric;
}

void Samples::add(std::initializer_list<std::string_view> labels, double value) {
  prometheus::ClientMetric& metric = append(labels);
  if (family_.type == prometheus::MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
}

void Samples::add_once(std::initializer_list<std::string_view> labels, double value) {
  const auto same = [&labels](const prometheus::ClientMetric& metric) {
    return std::ranges::equal(metric.label, labels, {}, &prometheus::ClientMetric::Label::value);
  };
  if (std::ranges::none_of(metrics_, same)) add(labels, value);
}

void Samples::add(std::initializer_list<std::string_view> labels, std::span<const Histogram* const> parts) {
  prometheus::ClientMetric::Histogram& histogram = append(labels).histogram;
  const Ladder ladder = parts.front()->ladder();
  std::uint64_t below = 0;
  for (std::size_t bucket = 0; bucket <= ladder.size(); ++bucket) {
    for (const Histogram* part : parts) below += part->count(bucket);
    const double bound = bucket < ladder.size() ? std::chrono::duration<double>(ladder[bucket]).count()
                                                : std::numeric_limits<double>::infinity();
    histogram.bucket.push_back({below, bound});
  }
  histogram.sample_count = below;
  for (const Histogram* part : parts) histogram.sample_sum += part->sum_seconds();
}

}  // namespace postern::observe
