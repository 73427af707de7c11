#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "http/server.hpp"
#include "model_server/input_ring.hpp"
#include "model_server/metrics_page.hpp"
#include "model_server/model.hpp"
#include "model_server/series_memory.hpp"
#include "model_server/worker_pool.hpp"

namespace model_server {

/// Answers requests, in handlers of an event loop that one thread runs. All that is counted and
/// remembered is so here, once a prediction is made: a request that is refused changes nothing but
/// the counters of refusals.
class Routes {
 public:
  /// All must outlive it.
  Routes(const Manifest& manifest, WorkerPool& workers, MetricsPage& page,
         std::chrono::milliseconds deadline);

  boost::asio::awaitable<http::Response> handle(const http::Request& request);

  /// The answer to a request that the server refused by itself.
  http::Response refuse(unsigned status, std::string_view target);

  /// From now on the server is not ready, so that a load balancer looks elsewhere.
  void stop();

 private:
  enum class Route : std::uint8_t {
    prediction,
    inference,
    health,
    live,
    ready,
    metrics,
    server,
    model
  };
  struct Answer {
    Result result;
    http::Response response;
  };

  [[nodiscard]] std::optional<Route> find(std::string_view path) const;
  http::Response get(Route route);
  http::Response metrics();
  boost::asio::awaitable<http::Response> predict(Api api, const http::Request& request);
  boost::asio::awaitable<Answer> answer(Api api, const http::Request& request,
                                        Clock::time_point deadline);
  Answer conclude(Api api, const InferenceRequest& request, const Inference& inference);
  void remember(const InferenceRequest& request, const Inference& inference);

  const Manifest& manifest_;
  WorkerPool& workers_;
  MetricsPage& page_;
  std::chrono::milliseconds deadline_;
  std::map<std::string, Route, std::less<>> routes_;
  InputRing ring_;
  SeriesMemory series_;
  bool is_stopping_ = false;
};

}  // namespace model_server
