// What the model server and its client add to their prometheus-cpp registries.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <string>
#include <vector>

namespace model_server {

/// A gauge that is on the page once a series is added to it.
inline prometheus::Family<prometheus::Gauge>& add_gauges(prometheus::Registry& registry,
                                                         const std::string& name,
                                                         const std::string& help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

/// The series of a metric with these labels, made and at 0.
inline prometheus::Counter& add_counter(prometheus::Registry& registry, const std::string& name,
                                        const std::string& help,
                                        const prometheus::Labels& labels = {}) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add(labels);
}

inline prometheus::Gauge& add_gauge(prometheus::Registry& registry, const std::string& name,
                                    const std::string& help,
                                    const prometheus::Labels& labels = {}) {
  return add_gauges(registry, name, help).Add(labels);
}

inline prometheus::Histogram& add_histogram(prometheus::Registry& registry, const std::string& name,
                                            const std::string& help,
                                            const prometheus::Labels& labels,
                                            const std::vector<double>& edges) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add(labels, edges);
}

/// `labels` and one more.
inline prometheus::Labels with_label(prometheus::Labels labels, const std::string& name,
                                     const std::string& value) {
  labels[name] = value;
  return labels;
}

}  // namespace model_server
