#include "model_server/model_metrics.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "model_server/add_series.hpp"
#include "model_server/model.hpp"

namespace model_server {
namespace {

template <class Enum>
std::size_t index_of(Enum value) {
  return static_cast<std::size_t>(value);
}

double now_seconds() {
  return Seconds(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// The magnitude up to which values count in sums: far more than a model of such a reference meets.
double most_magnitude(double largest, const std::vector<double>& edges) {
  constexpr double kFar = 100;
  for (const double edge : edges) largest = std::max(largest, std::abs(edge));
  return kFar * largest;
}

/// Of the bins between the edges, 0 unless all are alike.
double bin_width(const std::vector<double>& edges) {
  constexpr double kTolerance = 1e-9;
  if (edges.size() < 2) return 0;
  const auto count = static_cast<double>(edges.size() - 1);
  const double width = (edges.back() - edges.front()) / count;
  for (std::size_t i = 1; i < edges.size(); ++i) {
    if (std::abs(edges[i] - edges[i - 1] - width) > kTolerance * width) return 0;
  }
  return width;
}

}  // namespace

prometheus::Counter& ModelMetrics::counter(const std::string& name, const std::string& help) {
  return add_counter(registry_, name, help, labels_);
}

prometheus::Gauge& ModelMetrics::gauge(const std::string& name, const std::string& help) {
  return add_gauge(registry_, name, help, labels_);
}

prometheus::Labels labels_of(const Manifest& manifest) {
  return {{"model", manifest.name}, {"version", manifest.version}};
}

ModelMetrics::ModelMetrics(const Manifest& manifest, Seconds load_duration)
    : labels_(labels_of(manifest)),
      reference_(manifest.reference),
      most_input_(most_magnitude(std::max(std::abs(reference_.min), std::abs(reference_.max)),
                                 reference_.edges)),
      most_output_(most_magnitude(0, reference_.output_edges)),
      inputs_(registry_, "model_input_value", "Values of all inputs that were predicted", labels_,
              reference_.edges, most_input_),
      outputs_(registry_, "model_output_value", "Predictions", labels_, reference_.output_edges,
               most_output_),
      steps_(registry_, "model_input_step", "Differences of neighbouring values of an input",
             labels_, reference_.step_edges, 2 * most_input_),
      out_of_reference_(counter("model_input_out_of_reference_total",
                                "Input values below the least or above the largest of the "
                                "reference.")),
      constant_(counter("model_input_constant_total", "Inputs of which all values are equal.")),
      errors_(counter("model_prediction_errors_total",
                      "Predictions that were compared with what came of them.")),
      model_squares_(counter("model_prediction_error_squared_sum_total",
                             "Sum of the squared errors of those predictions.")),
      persistence_squares_(counter("model_baseline_error_squared_sum_total",
                                   "Sum of the squared errors, had no change been predicted.")),
      variance_(add_gauges(registry_, "input_variance",
                           "Population variance of all values of the latest inputs.")),
      window_size_(add_gauge(registry_, "input_window_size",
                             "How many inputs input_variance is of, 50 at most.")) {
  add_far_values();
  add_bins();
  add_identity(manifest, load_duration);
  add_reference(manifest);
}

/// One 1e30 in a sum of doubles, and all that is added later is lost: such values are counted
/// apart.
void ModelMetrics::add_far_values() {
  constexpr std::array kSubjectNames = {"input", "output", "error"};
  for (std::size_t subject = 0; subject < kSubjectNames.size(); ++subject) {
    far_values_.at(subject) = &add_counter(
        registry_, "model_far_values_total",
        "Values over 100 times the largest magnitude of the reference, which are in no sum.",
        with_label(labels_, "value", kSubjectNames.at(subject)));
  }
}

void ModelMetrics::add_bins() {
  for (std::size_t bin = 0; bin <= reference_.edges.size(); ++bin) {
    bins_.push_back(&add_counter(registry_, "model_input_bin_total",
                                 "Input values in each bin of model_input_value.",
                                 with_label(labels_, "bin", std::to_string(bin))));
  }
}

void ModelMetrics::add_identity(const Manifest& manifest, Seconds load_duration) {
  auto labels = labels_;
  labels.insert(
      {{"sha256", manifest.sha256}, {"format", "onnx"}, {"runtime", std::string(runtime_name())}});
  add_gauge(registry_, "model_info", "Always 1; the labels say which bytes are served by what.",
            labels)
      .Set(1);
  gauge("model_load_duration_seconds", "Time that it took to read and prepare the model.")
      .Set(load_duration.count());
  gauge("model_load_timestamp_seconds", "When the model was loaded, in seconds since the epoch.")
      .Set(now_seconds());
}

void ModelMetrics::add_reference(const Manifest& manifest) {
  const auto& counts = reference_.counts;
  const std::vector<double> increments(counts.begin(), counts.end());
  const double total = std::accumulate(increments.begin(), increments.end(), 0.0);
  ValueHistogram(registry_, "model_reference_input_value",
                 "Input values when the model was made, from its manifest", labels_,
                 reference_.edges, most_input_)
      .observe(increments, reference_.mean_magnitude * total);
  // Half a count more in each bin, so that none is 0: the index of stability divides by them.
  constexpr double kHalf = 0.5;
  const double smoothed_total = total + kHalf * static_cast<double>(increments.size());
  for (std::size_t bin = 0; bin < increments.size(); ++bin) {
    add_gauge(registry_, "model_reference_input_bin_ratio",
              "Share of each bin when the model was made, from its manifest.",
              with_label(labels_, "bin", std::to_string(bin)))
        .Set((increments[bin] + kHalf) / smoothed_total);
  }
  if (const double width = bin_width(reference_.edges); width > 0) {
    gauge("model_reference_bin_width", "Width of the bins of model_input_value.").Set(width);
  }
  for (const auto& [window, threshold] : manifest.psi_thresholds) {
    add_gauge(registry_, "model_reference_psi_threshold",
              "Population stability index that few healthy windows reach, from the manifest.",
              with_label(labels_, "window", window))
        .Set(threshold);
  }
}

void ModelMetrics::observe_input(std::span<const double> input, double prediction) {
  for (const double value : input) {
    if (!inputs_.observe(value)) count_far(Subject::input);
    bins_[bin_of(reference_.edges, value)]->Increment();
    if (value < reference_.min || value > reference_.max) out_of_reference_.Increment();
  }
  for (std::size_t i = 1; i < input.size(); ++i) steps_.observe(input[i] - input[i - 1]);
  const bool is_constant =
      std::adjacent_find(input.begin(), input.end(), std::not_equal_to<>()) == input.end();
  if (is_constant && input.size() > 1) constant_.Increment();
  if (!outputs_.observe(prediction)) count_far(Subject::output);
}

void ModelMetrics::count_far(Subject subject) { far_values_.at(index_of(subject))->Increment(); }

/// The sums of both must be of the same forecasts.
void ModelMetrics::observe_errors(const ForecastErrors& errors) {
  const double most = most_input_ + most_output_;
  if (std::max(std::abs(errors.model), std::abs(errors.persistence)) > most) {
    count_far(Subject::error);
    return;
  }
  errors_.Increment();
  model_squares_.Increment(errors.model * errors.model);
  persistence_squares_.Increment(errors.persistence * errors.persistence);
}

void ModelMetrics::set_input_variance(double variance, std::size_t window_size) {
  variance_.Add({}).Set(variance);
  window_size_.Set(static_cast<double>(window_size));
}

std::vector<prometheus::MetricFamily> ModelMetrics::families() const { return registry_.Collect(); }

}  // namespace model_server
