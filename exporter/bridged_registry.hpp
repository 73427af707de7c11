#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "metrics/sink.hpp"

namespace exporter {

/// A prometheus-cpp registry that can hand its metrics to a Sink. The library keeps and counts
/// well, but its own writer escapes no HELP, repairs no UTF-8, rounds numbers and knows no
/// OpenMetrics; and its Collect() copies every name and label each time, which costs more than
/// reading the kernel. So what is registered is remembered here, and only values are asked for.
/// Thread-safe.
class BridgedRegistry {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  /// The metric of this family with these labels, made when there is none yet; it lives as long as
  /// this object. `family` holds static text. Throws std::invalid_argument for a bad name, or for
  /// one that has another kind.
  prometheus::Counter& counter(const metrics::Family& family, Labels labels = {});
  prometheus::Gauge& gauge(const metrics::Family& family, Labels labels = {});
  prometheus::Histogram& histogram(const metrics::Family& family,
                                   const prometheus::Histogram::BucketBoundaries& bounds,
                                   Labels labels = {});

  void emit(metrics::Sink& sink) const;

 private:
  using Value = std::variant<const prometheus::Counter*, const prometheus::Gauge*,
                             const prometheus::Histogram*>;
  struct Metric {
    Labels labels;
    Value value;
  };
  struct Entry {
    metrics::Family family;
    std::vector<Metric> metrics;
  };

  void remember(const metrics::Family& family, Labels labels, Value value);

  prometheus::Registry registry_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;  // in the order of the page
};

}  // namespace exporter
