#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model_server/distribution.hpp"
#include "model_server/inference_request.hpp"

namespace model_server {

enum class Api : std::uint8_t { seed, v2 };  ///< POST /prediction, and the Open Inference Protocol.
enum class Result : std::uint8_t { success, bad_request, overload, error };

/// What is counted of the requests for a model of one name and version. It outlives the model: when
/// other bytes are loaded under the same name, the counts go on. One thread.
class RequestMetrics {
 public:
  /// Everything is there at 0 from the start. `labels` are of every series.
  explicit RequestMetrics(const prometheus::Labels& labels);

  void set_ready(bool is_ready);
  void count_refused(Api api, Reason reason);  ///< One that was refused before it could begin.
  void count_overload(Api api);                ///< One that was turned away before that.
  void count_rejection(Reason reason);
  /// Rows that a worker has computed of a request, none when it came too late to that.
  void observe_execution(std::size_t rows, Seconds queued, Seconds computed);

  [[nodiscard]] std::vector<prometheus::MetricFamily> families() const;

 private:
  friend class PendingRequest;
  static constexpr std::size_t kApis = 2;
  static constexpr std::size_t kResults = 4;

  void add_requests(const prometheus::Labels& labels);
  void add_rejections(const prometheus::Labels& labels);
  void count(Api api, Result result);

  prometheus::Registry registry_;
  prometheus::Gauge& ready_;
  std::array<std::array<prometheus::Counter*, kResults>, kApis> requests_{};
  prometheus::Gauge& in_flight_;
  prometheus::Counter& inferences_;
  prometheus::Counter& executions_;
  prometheus::Histogram& request_duration_;
  prometheus::Histogram& queue_duration_;
  prometheus::Histogram& compute_duration_;
  std::array<prometheus::Counter*, kReasonNames.size()> rejections_{};
};

/// A request in flight. One that is given up before its end, as by an exception, is an error.
class PendingRequest {
 public:
  PendingRequest(std::shared_ptr<RequestMetrics> metrics, Api api);
  PendingRequest(const PendingRequest&) = delete;
  PendingRequest& operator=(const PendingRequest&) = delete;
  PendingRequest(PendingRequest&&) = delete;
  PendingRequest& operator=(PendingRequest&&) = delete;
  ~PendingRequest();

  /// Once. Without a duration for what was refused at once: clients that send nonsense, or a full
  /// queue, must not make the service look fast.
  void end(Result result, std::optional<Seconds> duration);

 private:
  std::shared_ptr<RequestMetrics> metrics_;
  Api api_;
  bool has_ended_ = false;
};

}  // namespace model_server
