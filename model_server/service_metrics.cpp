#include "model_server/service_metrics.hpp"

#include <array>

#include "model_server/add_series.hpp"

namespace model_server {
namespace {

constexpr std::array kEventNames = {"accept_failed", "connection_refused", "request_rejected",
                                    "deadline_passed", "session_failed"};

}  // namespace

ServiceMetrics::ServiceMetrics()
    : load_failures_(
          add_counter(registry_, "model_load_failures_total",
                      "Times that a model could not be loaded and the one before was kept.")) {
  for (const auto* name : kEventNames) {
    events_.push_back(
        &add_counter(registry_, "model_http_events_total",
                     "Connections and requests that came to no answer of their own, by why.",
                     {{"event", name}}));
  }
}

void ServiceMetrics::count_load_failure() { load_failures_.Increment(); }

void ServiceMetrics::count(http::Event event) {
  events_.at(static_cast<std::size_t>(event))->Increment();
}

std::vector<prometheus::MetricFamily> ServiceMetrics::families() const {
  return registry_.Collect();
}

}  // namespace model_server
