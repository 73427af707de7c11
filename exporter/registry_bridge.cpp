#include "exporter/registry_bridge.hpp"

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

#include <vector>

namespace exporter {
namespace {

metrics::Kind to_kind(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return metrics::Kind::counter;
    case prometheus::MetricType::Gauge:
      return metrics::Kind::gauge;
    case prometheus::MetricType::Histogram:
      return metrics::Kind::histogram;
    case prometheus::MetricType::Summary:
    case prometheus::MetricType::Untyped:
      break;
  }
  return metrics::Kind::unknown;
}

double value_of(const prometheus::ClientMetric& metric, prometheus::MetricType type) {
  if (type == prometheus::MetricType::Counter) return metric.counter.value;
  if (type == prometheus::MetricType::Gauge) return metric.gauge.value;
  return metric.untyped.value;
}

void emit_histogram(const prometheus::ClientMetric::Histogram& histogram, metrics::Labels labels,
                    metrics::Sink& sink) {
  std::vector<metrics::Bucket> buckets;
  buckets.reserve(histogram.bucket.size());
  for (const auto& bucket : histogram.bucket) {
    buckets.push_back({bucket.upper_bound, bucket.cumulative_count});
  }
  sink.histogram(labels, {.buckets = buckets, .sum = histogram.sample_sum});
}

}  // namespace

void emit_registry(const prometheus::Registry& registry, metrics::Sink& sink) {
  std::vector<metrics::Label> labels;
  for (const auto& family : registry.Collect()) {
    if (family.type == prometheus::MetricType::Summary) continue;  // the daemon has none
    const auto kind = to_kind(family.type);
    sink.family({.name = family.name, .help = family.help, .kind = kind});
    for (const auto& metric : family.metric) {
      labels.clear();
      for (const auto& label : metric.label) labels.push_back({label.name, label.value});
      if (kind == metrics::Kind::histogram) {
        emit_histogram(metric.histogram, labels, sink);
      } else {
        sink.sample(labels, value_of(metric, family.type));
      }
    }
  }
}

}  // namespace exporter
