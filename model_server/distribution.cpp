#include "model_server/distribution.hpp"

#include <algorithm>
#include <cmath>

#include "model_server/add_series.hpp"

namespace model_server {

std::size_t bin_of(const std::vector<double>& edges, double value) {
  const auto edge = std::lower_bound(edges.begin(), edges.end(), value);
  return static_cast<std::size_t>(edge - edges.begin());
}

ValueHistogram::ValueHistogram(prometheus::Registry& registry, const std::string& name,
                               const std::string& subject, const prometheus::Labels& labels,
                               const std::vector<double>& edges, double most)
    : edges_(edges),
      one_(edges.size() + 1),
      most_(most),
      histogram_(add_histogram(registry, name, subject + ". The sum is of their magnitudes.",
                               labels, edges)) {}

bool ValueHistogram::observe(double value) {
  const auto magnitude = std::abs(value);
  const bool is_near = magnitude <= most_;
  auto& count = one_[bin_of(edges_, value)];
  count = 1;
  histogram_.ObserveMultiple(one_, is_near ? magnitude : 0);
  count = 0;
  return is_near;
}

void ValueHistogram::observe(const std::vector<double>& counts, double sum_of_magnitudes) {
  histogram_.ObserveMultiple(counts, sum_of_magnitudes);
}

Distribution::Distribution(prometheus::Registry& registry, const std::string& name,
                           const std::string& subject, const prometheus::Labels& labels,
                           const std::vector<double>& edges, double most)
    : histogram_(registry, name, subject, labels, edges, most),
      positive_sum_(add_counter(registry, name + "_signed_sum_total",
                                subject + ": sum of the magnitudes, by sign.",
                                with_label(labels, "sign", "positive"))),
      negative_sum_(add_counter(registry, name + "_signed_sum_total",
                                subject + ": sum of the magnitudes, by sign.",
                                with_label(labels, "sign", "negative"))),
      squared_sum_(add_counter(registry, name + "_squared_sum_total",
                               subject + ": sum of the squares.", labels)) {}

bool Distribution::observe(double value) {
  if (!histogram_.observe(value)) return false;
  (value < 0 ? negative_sum_ : positive_sum_).Increment(std::abs(value));
  squared_sum_.Increment(value * value);
  return true;
}

}  // namespace model_server
