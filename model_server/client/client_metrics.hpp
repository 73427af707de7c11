#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "service/own_process.hpp"

namespace model_client {

/// Why a request brought no prediction.
enum class Failure : std::uint8_t {
  unresolved,    ///< The server's name has no address.
  unreachable,   ///< Nobody accepted.
  deadline,      ///< No whole answer in time.
  disconnected,  ///< The server closed amid its answer.
  malformed,     ///< The answer was no HTTP, too large, or had no prediction in it.
  overloaded,    ///< Status 503.
  refused,       ///< Another status of 400 and more, below 500: the request was wrong.
  server_error,  ///< Any other status that is not 200.
};
inline constexpr std::size_t kFailureCount = 8;

/// Such as "unreachable": the label `reason`.
const char* name_of(Failure failure);

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
