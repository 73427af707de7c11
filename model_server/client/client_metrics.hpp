#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <chrono>
#include <string>

#include "model_server/client/failure.hpp"
#include "service/own_process.hpp"

namespace model_client {

/// What the client tells of itself, on its page. One thread.
class ClientMetrics {
 public:
  /// `process` is the client's own; what it cannot say is not on the page.
  explicit ClientMetrics(service::OwnProcess process = service::OwnProcess());

  /// A request was sent, and answered or given up after `duration`.
  void observe_request(std::chrono::duration<double> duration);
  void observe_prediction(double value);
  void observe_failure(Failure failure);

  /// How many requests in a row have failed, and how long the client waits now.
  void set_failures_in_a_row(unsigned count);
  void set_pause(std::chrono::duration<double> pause);

  /// The page, in Prometheus' text format.
  std::string page();

 private:
  service::OwnProcess process_;
  prometheus::Registry registry_;
  prometheus::Histogram& durations_;
  prometheus::Gauge& progressed_;
  prometheus::Gauge& failures_in_a_row_;
  prometheus::Gauge& pause_;
  prometheus::Counter& cpu_seconds_;
  prometheus::Family<prometheus::Gauge>& resident_bytes_;
  prometheus::Family<prometheus::Gauge>& last_predictions_;
  prometheus::Family<prometheus::Gauge>& last_prediction_times_;
  std::array<prometheus::Counter*, kFailureCount> failures_{};
};

}  // namespace model_client
