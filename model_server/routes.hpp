#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/server.hpp"
#include "model_server/manifest.hpp"
#include "model_server/request_metrics.hpp"
#include "model_server/served_model.hpp"
#include "model_server/service_metrics.hpp"

namespace model_server {

/// Answers requests, in handlers of an event loop that one thread runs: from the start, though
/// predictions wait until the model is loaded.
class Routes {
 public:
  /// Of the model that will be served.
  Routes(Manifest manifest, std::chrono::milliseconds deadline);

  /// From now on this model is served. What is counted of requests goes on if it has the name and
  /// version of the one before, and begins anew if not; the requests under way keep the old one.
  void serve(std::shared_ptr<ServedModel> model);

  /// From now on the server is not ready, so that a load balancer looks elsewhere.
  void stop();

  boost::asio::awaitable<http::Response> handle(const http::Request& request);

  /// The answer to a request that the server refused by itself.
  http::Response refuse(const http::Refused& refused);

  [[nodiscard]] const Manifest& manifest() const { return manifest_; }
  ServiceMetrics& service_metrics() { return service_metrics_; }

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

  void name_model();
  [[nodiscard]] bool is_ready() const { return model_ != nullptr && !is_stopping_; }
  [[nodiscard]] std::optional<Route> find(std::string_view path) const;
  [[nodiscard]] std::optional<Api> api_of(std::string_view target) const;
  http::Response get(Route route);
  http::Response metrics();
  http::Response refuse_target(const http::Request& request);
  boost::asio::awaitable<http::Response> predict(Api api, const http::Request& request);
  boost::asio::awaitable<Answer> answer(Api api, const http::Request& request);
  boost::asio::awaitable<void> wait_for_model(Clock::time_point deadline);

  Manifest manifest_;
  std::chrono::milliseconds deadline_;
  ServiceMetrics service_metrics_;
  std::shared_ptr<RequestMetrics> request_metrics_;
  std::shared_ptr<ServedModel> model_;  // none until the first is loaded
  std::map<std::string, Route, std::less<>> routes_;
  std::list<boost::asio::steady_timer*> waiting_;  // requests that came before it
  bool is_stopping_ = false;
};

}  // namespace model_server
