#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model_server/distribution.hpp"
#include "model_server/manifest.hpp"
#include "model_server/series_memory.hpp"

namespace model_server {

/// The labels that name a model.
prometheus::Labels labels_of(const Manifest& manifest);

/// What is told of one loaded model, its inputs and its predictions; all of it is there at 0 from
/// the start. One thread.
class ModelMetrics {
 public:
  ModelMetrics(const Manifest& manifest, Seconds load_duration);

  /// One input that was predicted, and its prediction.
  void observe_input(std::span<const double> input, double prediction);
  void observe_errors(const ForecastErrors& errors);
  /// Of InputRing; not on the page before its first call.
  void set_input_variance(double variance, std::size_t window_size);

  [[nodiscard]] std::vector<prometheus::MetricFamily> families() const;

 private:
  enum class Subject : std::uint8_t { input, output, error };

  void add_far_values();
  void add_bins();
  void add_identity(const Manifest& manifest, Seconds load_duration);
  void add_reference(const Manifest& manifest);
  void count_far(Subject subject);
  prometheus::Counter& counter(const std::string& name, const std::string& help);
  prometheus::Gauge& gauge(const std::string& name, const std::string& help);

  prometheus::Registry registry_;
  prometheus::Labels labels_;  // of every series
  Reference reference_;
  double most_input_, most_output_;  // in the sums; see add_far_values()
  Distribution inputs_;
  Distribution outputs_;
  ValueHistogram steps_;
  std::vector<prometheus::Counter*> bins_;
  std::array<prometheus::Counter*, 3> far_values_{};  // by Subject
  prometheus::Counter& out_of_reference_;
  prometheus::Counter& constant_;
  prometheus::Counter& errors_;
  prometheus::Counter& model_squares_;
  prometheus::Counter& persistence_squares_;
  prometheus::Family<prometheus::Gauge>& variance_;
  prometheus::Gauge& window_size_;
};

}  // namespace model_server
