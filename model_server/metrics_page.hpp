#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model_server/distribution.hpp"
#include "model_server/inference_request.hpp"
#include "model_server/model.hpp"
#include "model_server/series_memory.hpp"

namespace model_server {

enum class Api : std::uint8_t { seed, v2 };  ///< POST /prediction, and the Open Inference Protocol.
enum class Result : std::uint8_t { success, bad_request, overload, error };

using Seconds = std::chrono::duration<double>;

/// Everything on the server's page, all of it there at 0 from the start. One thread.
class MetricsPage {
 public:
  MetricsPage(const ModelFiles& files, Seconds load_duration);

  void set_ready(bool is_ready);
  void request_began();
  /// After request_began(), once the answer is made. Bad requests are not in the durations.
  void request_ended(Api api, Result result, Seconds duration);
  void count_refused(Api api);  ///< One that was refused before it could begin.
  void count_rejection(Reason reason);
  void count_load_failure();
  void observe_execution(std::size_t rows, Seconds queued, Seconds computed);
  /// One input that was predicted, and its prediction.
  void observe_input(std::span<const double> input, double prediction);
  void observe_errors(const ForecastErrors& errors);
  /// Of InputRing; not on the page before its first call.
  void set_input_variance(double variance, std::size_t window_size);

  /// In the text format 0.0.4.
  [[nodiscard]] std::string text() const;
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  static constexpr std::size_t kApis = 2;
  static constexpr std::size_t kResults = 4;
  enum class Subject : std::uint8_t { input, output, error };

  void add_requests();
  void add_rejections();
  void add_far_values();
  void add_bins();
  void add_identity(const ModelFiles& files, Seconds load_duration);
  void add_reference(const Manifest& manifest);
  void count_far(Subject subject);
  prometheus::Counter& counter(const std::string& name, const std::string& help);
  prometheus::Gauge& gauge(const std::string& name, const std::string& help);
  prometheus::Histogram& durations(const std::string& name, const std::string& help);

  prometheus::Registry registry_;
  prometheus::Labels labels_;  // of every series
  Reference reference_;
  prometheus::Gauge& ready_;
  prometheus::Counter& load_failures_;
  std::array<std::array<prometheus::Counter*, kResults>, kApis> requests_{};
  prometheus::Gauge& in_flight_;
  prometheus::Counter& inferences_;
  prometheus::Counter& executions_;
  prometheus::Histogram& request_duration_;
  prometheus::Histogram& queue_duration_;
  prometheus::Histogram& compute_duration_;
  std::array<prometheus::Counter*, kReasonNames.size()> rejections_{};
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
