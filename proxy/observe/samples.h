#pragma once

#include <initializer_list>
#include <prometheus/client_metric.h>
#include <span>
#include <string_view>
#include <vector>

#include "proxy/observe/counters.h"

namespace postern::observe {

struct Family;

// Takes the samples of one family. Values of labels come in the order of Family::labels.
class Samples {
 public:
  Samples(const Family& family, std::vector<prometheus::ClientMetric>& metrics);

  void add(std::initializer_list<std::string_view> labels, double value);
  // For names that come from outside: leaves out what was added before under the same labels, since a second
  // sample would make Prometheus refuse the whole scrape.
  void add_once(std::initializer_list<std::string_view> labels, double value);
  // Sums histograms of one ladder.
  void add(std::initializer_list<std::string_view> labels, std::span<const Histogram* const> parts);

 private:
  prometheus::ClientMetric& append(std::initializer_list<std::string_view> labels);

  const Family& family_;
  std::vector<std::string_view> names_;
  std::vector<prometheus::ClientMetric>& metrics_;
};

}  // namespace postern::observe
