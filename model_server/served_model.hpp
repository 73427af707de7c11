#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>

#include "http/server.hpp"
#include "model_server/input_ring.hpp"
#include "model_server/model.hpp"
#include "model_server/model_metrics.hpp"
#include "model_server/options.hpp"
#include "model_server/request_metrics.hpp"
#include "model_server/series_memory.hpp"
#include "model_server/worker_pool.hpp"

namespace model_server {

/// What becomes of a request for a prediction.
struct Answer {
  Result result;
  http::Response response;
  bool took_time = true;  ///< False for what was refused at once.
};

/// A loaded model with its workers, and with all that is told and remembered of its inputs. Made in
/// any thread; from then on one loop's, until it is destroyed, which waits for its workers.
class ServedModel {
 public:
  /// Throws as Network does. The bytes of the model are needed no longer than this.
  ServedModel(const ModelFiles& files, const Options& options, Clock::time_point began);

  /// A request that is refused changes nothing but counters of `metrics`. The caller keeps the
  /// model and the request to the end.
  boost::asio::awaitable<Answer> answer(Api api, const http::Request& request,
                                        Clock::time_point deadline,
                                        std::shared_ptr<RequestMetrics> metrics);

  [[nodiscard]] const Manifest& manifest() const { return manifest_; }
  /// For the page, as of now.
  [[nodiscard]] std::vector<prometheus::MetricFamily> families();

 private:
  Answer conclude(Api api, const InferenceRequest& request, const Inference& inference);
  void remember(const InferenceRequest& request, const Inference& inference);

  Manifest manifest_;
  WorkerPool workers_;
  ModelMetrics metrics_;
  InputRing ring_;
  SeriesMemory series_;
};

}  // namespace model_server
