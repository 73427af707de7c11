#pragma once

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace model_server {

using Seconds = std::chrono::duration<double>;

/// A histogram of values that may be negative. Its sum is that of their magnitudes: Prometheus
/// takes a sum that falls for a restart. Values of more than `most` are in the last or first bin,
/// and not in the sum: beside 1e30 a double takes no more notice of what is added later.
class ValueHistogram {
 public:
  /// `subject` is what the help calls the values.
  ValueHistogram(prometheus::Registry& registry, const std::string& name,
                 const std::string& subject, const prometheus::Labels& labels,
                 const std::vector<double>& edges, double most);

  /// False when the magnitude of the value is over `most`.
  bool observe(double value);
  /// So many values in each bin at once.
  void observe(const std::vector<double>& counts, double sum_of_magnitudes);

 private:
  std::vector<double> edges_;
  std::vector<double> one_;  // 0 in every bin, for observe()
  double most_;
  prometheus::Histogram& histogram_;
};

/// What is said of the distribution of a value: its histogram, and its moments in counters.
class Distribution {
 public:
  /// Adds the families `name`, `name`_signed_sum_total and `name`_squared_sum_total.
  Distribution(prometheus::Registry& registry, const std::string& name, const std::string& subject,
               const prometheus::Labels& labels, const std::vector<double>& edges, double most);

  /// False when the value is in no moment, for its magnitude is over `most`.
  bool observe(double value);

 private:
  ValueHistogram histogram_;
  prometheus::Counter& positive_sum_;
  prometheus::Counter& negative_sum_;
  prometheus::Counter& squared_sum_;
};

/// The bin of a value between ascending edges, as Prometheus' `le` has it.
std::size_t bin_of(const std::vector<double>& edges, double value);

}  // namespace model_server
