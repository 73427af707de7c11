// What is counted of requests and of the process.
#include "model_server/request_metrics.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "model_server/service_metrics.hpp"
#include "tests/support/model_page.hpp"

using model_server::Api;
using model_server::PendingRequest;
using model_server::Reason;
using model_server::RequestMetrics;
using model_server::Result;
using model_server::Seconds;
using model_server::ServiceMetrics;
using tests::value_of;

namespace {

std::shared_ptr<RequestMetrics> new_metrics() {
  return std::make_shared<RequestMetrics>(prometheus::Labels{{"model", "pair"}, {"version", "2"}});
}

double requests(const RequestMetrics& metrics, const std::string& api, const std::string& result) {
  return value_of(metrics, "model_requests_total", "api=\"" + api, "result=\"" + result);
}

}  // namespace

TEST_CASE("every count of requests is there at 0 before the first") {
  const auto metrics = new_metrics();
  const auto [name, labels] = GENERATE(table<const char*, const char*>({
      {"model_ready", ""},
      {"model_requests_in_flight", ""},
      {"model_inferences_total", ""},
      {"model_executions_total", ""},
      {"model_request_duration_seconds_count", ""},
      {"model_request_duration_seconds_bucket", "le=\"2.5e-05\""},
      {"model_queue_duration_seconds_count", ""},
      {"model_compute_duration_seconds_bucket", "le=\"+Inf\""},
      {"model_input_rejected_total", "reason=\"json\""},
      {"model_input_rejected_total", "reason=\"shape\""},
      {"model_input_rejected_total", "reason=\"type\""},
      {"model_input_rejected_total", "reason=\"nonfinite\""},
      {"model_input_rejected_total", "reason=\"too_large\""},
      {"model_input_rejected_total", "reason=\"framing\""},
  }));
  INFO(name << ' ' << labels);
  CHECK(value_of(*metrics, name, labels) == 0);
  for (const auto* api : {"seed", "v2"}) {
    for (const auto* result : {"success", "bad_request", "overload", "error"}) {
      CHECK(requests(*metrics, api, result) == 0);
    }
  }
}

TEST_CASE("a request is in flight to its end, and then a result with its duration") {
  const auto metrics = new_metrics();
  PendingRequest late(metrics, Api::v2);
  PendingRequest refused(metrics, Api::seed);
  CHECK(value_of(*metrics, "model_requests_in_flight") == 2);
  late.end(Result::overload, Seconds(3e-5));
  CHECK(value_of(*metrics, "model_requests_in_flight") == 1);
  CHECK(requests(*metrics, "v2", "overload") == 1);
  CHECK(value_of(*metrics, "model_request_duration_seconds_bucket", "le=\"2.5e-05\"") == 0);
  CHECK(value_of(*metrics, "model_request_duration_seconds_bucket", "le=\"5e-05\"") == 1);
  // A full queue answers in microseconds: that is no time that the service takes.
  refused.end(Result::overload, std::nullopt);
  CHECK(requests(*metrics, "seed", "overload") == 1);
  CHECK(value_of(*metrics, "model_request_duration_seconds_count") == 1);
}

TEST_CASE("a request that is given up is an error, and not in flight for ever") {
  const auto metrics = new_metrics();
  { const PendingRequest pending(metrics, Api::v2); }
  CHECK(value_of(*metrics, "model_requests_in_flight") == 0);
  CHECK(requests(*metrics, "v2", "error") == 1);
}

TEST_CASE("refusals are counted by interface and by reason") {
  const auto metrics = new_metrics();
  metrics->count_refused(Api::seed, Reason::framing);
  CHECK(requests(*metrics, "seed", "bad_request") == 1);
  CHECK(value_of(*metrics, "model_input_rejected_total", "reason=\"framing\"") == 1);
  metrics->count_rejection(Reason::too_large);
  CHECK(value_of(*metrics, "model_input_rejected_total", "reason=\"too_large\"") == 1);
  metrics->count_overload(Api::v2);
  CHECK(requests(*metrics, "v2", "overload") == 1);
}

TEST_CASE("what came too late to be computed waited, and was no execution") {
  const auto metrics = new_metrics();
  metrics->observe_execution(3, Seconds(1e-4), Seconds(2e-3));
  metrics->observe_execution(0, Seconds(2), Seconds(0));
  CHECK(value_of(*metrics, "model_inferences_total") == 3);
  CHECK(value_of(*metrics, "model_executions_total") == 1);
  CHECK(value_of(*metrics, "model_queue_duration_seconds_sum") == Approx(2.0001));
  CHECK(value_of(*metrics, "model_queue_duration_seconds_count") == 2);
  CHECK(value_of(*metrics, "model_compute_duration_seconds_sum") == Approx(2e-3));
  CHECK(value_of(*metrics, "model_compute_duration_seconds_count") == 1);
  metrics->set_ready(true);
  CHECK(value_of(*metrics, "model_ready") == 1);
}

TEST_CASE("what is the process's has no labels of a model") {
  ServiceMetrics metrics;
  CHECK(value_of(metrics, "model_load_failures_total") == 0);
  metrics.count_load_failure();
  CHECK(value_of(metrics, "model_load_failures_total") == 1);
  for (const auto* event : {"accept_failed", "connection_refused", "request_rejected",
                            "deadline_passed", "session_failed"}) {
    CHECK(value_of(metrics, "model_http_events_total", event) == 0);
  }
  metrics.count(http::Event::connection_refused);
  CHECK(value_of(metrics, "model_http_events_total", "connection_refused") == 1);
}
