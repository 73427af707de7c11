#include "exporter/bridged_registry.hpp"

#include <prometheus/client_metric.h>

#include <algorithm>

namespace exporter {
namespace {

template <class Builder>
auto& build(Builder builder, const metrics::Family& family, prometheus::Registry& registry) {
  return builder.Name(std::string(family.name)).Help(std::string(family.help)).Register(registry);
}

prometheus::Labels to_library(const BridgedRegistry::Labels& labels) {
  return {labels.begin(), labels.end()};
}

void emit_value(metrics::Sink& sink, metrics::Labels labels, const prometheus::Counter* counter) {
  sink.sample(labels, counter->Value());
}

void emit_value(metrics::Sink& sink, metrics::Labels labels, const prometheus::Gauge* gauge) {
  sink.sample(labels, gauge->Value());
}

void emit_value(metrics::Sink& sink, metrics::Labels labels,
                const prometheus::Histogram* histogram) {
  const auto reading = histogram->Collect().histogram;
  std::vector<metrics::Bucket> buckets;
  buckets.reserve(reading.bucket.size());
  for (const auto& bucket : reading.bucket) {
    buckets.push_back({bucket.upper_bound, bucket.cumulative_count});
  }
  sink.histogram(labels, {.buckets = buckets, .sum = reading.sample_sum});
}

}  // namespace

prometheus::Counter& BridgedRegistry::counter(const metrics::Family& family, Labels labels) {
  auto& metric = build(prometheus::BuildCounter(), family, registry_).Add(to_library(labels));
  remember(family, std::move(labels), &metric);
  return metric;
}

prometheus::Gauge& BridgedRegistry::gauge(const metrics::Family& family, Labels labels) {
  auto& metric = build(prometheus::BuildGauge(), family, registry_).Add(to_library(labels));
  remember(family, std::move(labels), &metric);
  return metric;
}

prometheus::Histogram& BridgedRegistry::histogram(
    const metrics::Family& family, const prometheus::Histogram::BucketBoundaries& bounds,
    Labels labels) {
  auto& metric =
      build(prometheus::BuildHistogram(), family, registry_).Add(to_library(labels), bounds);
  remember(family, std::move(labels), &metric);
  return metric;
}

void BridgedRegistry::remember(const metrics::Family& family, Labels labels, Value value) {
  const std::lock_guard lock(mutex_);
  auto entry = std::find_if(entries_.begin(), entries_.end(),
                            [&](const Entry& known) { return known.family.name == family.name; });
  if (entry == entries_.end()) entry = entries_.insert(entry, {family, {}});
  const auto is_known = [&](const Metric& metric) { return metric.value == value; };
  if (std::any_of(entry->metrics.begin(), entry->metrics.end(), is_known)) return;
  entry->metrics.push_back({std::move(labels), value});
}

void BridgedRegistry::emit(metrics::Sink& sink) const {
  const std::lock_guard lock(mutex_);
  std::vector<metrics::Label> labels;
  for (const auto& [family, metrics] : entries_) {
    sink.family(family);
    for (const auto& metric : metrics) {
      labels.clear();
      for (const auto& [name, value] : metric.labels) labels.push_back({name, value});
      std::visit([&](const auto* value) { emit_value(sink, labels, value); }, metric.value);
    }
  }
}

}  // namespace exporter
