#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <variant>

#include "exporter/options.hpp"
#include "exporter/pass_scheduler.hpp"
#include "exporter/self_metrics.hpp"
#include "http/server.hpp"
#include "http/target.hpp"

namespace exporter {

/// Answers requests: the metrics page, the landing page, health. In handlers of the event loop.
class Routes {
 public:
  /// All must outlive it.
  Routes(const Options& options, PassScheduler& collectors, SelfMetrics& self)
      : options_(options), collectors_(collectors), self_(self) {}

  boost::asio::awaitable<http::Response> handle(const http::Request& request);

  /// From now on /-/ready says no, so that a load balancer looks elsewhere.
  void stop() { is_stopping_ = true; }

 private:
  [[nodiscard]] Route find(std::string_view path) const;
  boost::asio::awaitable<http::Response> answer(Route route, const http::Request& request,
                                                const http::Target& target);
  boost::asio::awaitable<http::Response> scrape(const http::Request& request,
                                                const http::Target& target);

  const Options& options_;
  PassScheduler& collectors_;
  SelfMetrics& self_;
  bool is_stopping_ = false;
};

/// The collectors that ?collect[]= or ?exclude[]= leave, all of `names` without either; or why the
/// request is wrong, in a line for the client.
std::variant<Selection, std::string> select_collectors(const http::Target& target,
                                                       const CollectorNames& names);

/// The time a scrape may take: the client's X-Prometheus-Scrape-Timeout-Seconds less half a second
/// for the way back, between half a second and two minutes; 10 s where it says nothing sensible.
Clock::duration scrape_budget(std::string_view timeout_seconds);

}  // namespace exporter
