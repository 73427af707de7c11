#include "model_server/metrics_page.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

namespace model_server {
namespace {

const std::vector<double> kDurationEdges = {25e-6,  50e-6, 100e-6, 250e-6, 500e-6, 1e-3,
                                            2.5e-3, 5e-3,  10e-3,  25e-3,  100e-3, 1};

// By Api and Result.
constexpr std::array kApiNames = {"seed", "v2"};
constexpr std::array kResultNames = {"success", "bad_request", "overload", "error"};

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

prometheus::Counter& MetricsPage::counter(const std::string& name, const std::string& help) {
  return add_counter(registry_, name, help, labels_);
}

prometheus::Gauge& MetricsPage::gauge(const std::string& name, const std::string& help) {
  return add_gauge(registry_, name, help, labels_);
}

prometheus::Histogram& MetricsPage::durations(const std::string& name, const std::string& help) {
  return add_histogram(registry_, name, help, labels_, kDurationEdges);
}

MetricsPage::MetricsPage(const ModelFiles& files, Seconds load_duration)
    : labels_({{"model", files.manifest.name}, {"version", files.manifest.version}}),
      reference_(files.manifest.reference),
      ready_(gauge("model_ready", "Whether predictions are answered.")),
      load_failures_(counter("model_load_failures_total",
                             "Times that a model could not be loaded and this one was kept.")),
      in_flight_(
          gauge("model_requests_in_flight", "Requests for predictions that are not answered yet.")),
      inferences_(counter("model_inferences_total", "Inputs that the network has computed.")),
      executions_(counter("model_executions_total",
                          "Requests that the network has computed, of one input or more.")),
      request_duration_(durations("model_request_duration_seconds",
                                  "Time from the whole request to its answer.")),
      queue_duration_(
          durations("model_queue_duration_seconds", "Time that requests waited for a worker.")),
      compute_duration_(durations("model_compute_duration_seconds",
                                  "Time that the network took for all inputs of a request.")),
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
      variance_(prometheus::BuildGauge()
                    .Name("input_variance")
                    .Help("Population variance of all values of the latest inputs.")
                    .Register(registry_)),
      window_size_(add_gauge(registry_, "input_window_size",
                             "How many inputs input_variance is of, 50 at most.", {})) {
  add_requests();
  add_rejections();
  add_far_values();
  add_bins();
  add_identity(files, load_duration);
  add_reference(files.manifest);
}

void MetricsPage::add_requests() {
  for (std::size_t api = 0; api < kApis; ++api) {
    for (std::size_t result = 0; result < kResults; ++result) {
      auto labels = with_label(labels_, "api", kApiNames.at(api));
      labels["result"] = kResultNames.at(result);
      requests_.at(api).at(result) =
          &add_counter(registry_, "model_requests_total",
                       "Requests for predictions, by interface and by what came of them.", labels);
    }
  }
}

void MetricsPage::add_rejections() {
  for (std::size_t reason = 0; reason < kReasonNames.size(); ++reason) {
    const auto labels = with_label(labels_, "reason", std::string(kReasonNames.at(reason)));
    rejections_.at(reason) =
        &add_counter(registry_, "model_input_rejected_total",
                     "Requests that were refused as bad, by what was wrong.", labels);
  }
}

/// One 1e30 in a sum of doubles, and all that is added later is lost: such values are counted apart.
void MetricsPage::add_far_values() {
  constexpr std::array kSubjectNames = {"input", "output", "error"};
  for (std::size_t subject = 0; subject < kSubjectNames.size(); ++subject) {
    far_values_.at(subject) = &add_counter(
        registry_, "model_far_values_total",
        "Values over 100 times the largest magnitude of the reference, which are in no sum.",
        with_label(labels_, "value", kSubjectNames.at(subject)));
  }
}

void MetricsPage::add_bins() {
  for (std::size_t bin = 0; bin <= reference_.edges.size(); ++bin) {
    bins_.push_back(&add_counter(registry_, "model_input_bin_total",
                                 "Input values in each bin of model_input_value.",
                                 with_label(labels_, "bin", std::to_string(bin))));
  }
}

void MetricsPage::add_identity(const ModelFiles& files, Seconds load_duration) {
  auto labels = labels_;
  labels.insert({{"sha256", files.manifest.sha256},
                 {"format", "onnx"},
                 {"runtime", std::string(runtime_name())}});
  add_gauge(registry_, "model_info", "Always 1; the labels say which bytes are served by what.",
            labels)
      .Set(1);
  gauge("model_load_duration_seconds", "Time that it took to read and prepare the model.")
      .Set(load_duration.count());
  gauge("model_load_timestamp_seconds", "When the model was loaded, in seconds since the epoch.")
      .Set(now_seconds());
}

void MetricsPage::add_reference(const Manifest& manifest) {
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

void MetricsPage::set_ready(bool is_ready) { ready_.Set(is_ready ? 1 : 0); }

void MetricsPage::request_began() { in_flight_.Increment(); }

void MetricsPage::request_ended(Api api, Result result, Seconds duration) {
  in_flight_.Decrement();
  requests_.at(index_of(api)).at(index_of(result))->Increment();
  // A refusal takes no time: a client that sends nonsense must not make the service look fast.
  if (result != Result::bad_request) request_duration_.Observe(duration.count());
}

void MetricsPage::count_refused(Api api) {
  requests_.at(index_of(api)).at(index_of(Result::bad_request))->Increment();
}

void MetricsPage::count_rejection(Reason reason) { rejections_.at(index_of(reason))->Increment(); }

void MetricsPage::count_load_failure() { load_failures_.Increment(); }

void MetricsPage::observe_execution(std::size_t rows, Seconds queued, Seconds computed) {
  executions_.Increment();
  inferences_.Increment(static_cast<double>(rows));
  queue_duration_.Observe(queued.count());
  compute_duration_.Observe(computed.count());
}

void MetricsPage::observe_input(std::span<const double> input, double prediction) {
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

void MetricsPage::count_far(Subject subject) { far_values_.at(index_of(subject))->Increment(); }

/// The sums of both must be of the same forecasts.
void MetricsPage::observe_errors(const ForecastErrors& errors) {
  const double most = most_input_ + most_output_;
  if (std::max(std::abs(errors.model), std::abs(errors.persistence)) > most) {
    count_far(Subject::error);
    return;
  }
  errors_.Increment();
  model_squares_.Increment(errors.model * errors.model);
  persistence_squares_.Increment(errors.persistence * errors.persistence);
}

void MetricsPage::set_input_variance(double variance, std::size_t window_size) {
  variance_.Add({}).Set(variance);
  window_size_.Set(static_cast<double>(window_size));
}

std::string MetricsPage::text() const {
  return prometheus::TextSerializer().Serialize(registry_.Collect());
}

}  // namespace model_server
