#include "model_server/client/client_metrics.hpp"

#include <catch2/catch.hpp>
#include <string>

using model_client::ClientMetrics;
using model_client::Failure;
using namespace std::chrono_literals;

namespace {

bool has_line(const std::string& page, const std::string& line) {
  return ("\n" + page).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("every series of the client is there at 0 before the first request") {
  ClientMetrics metrics;
  const auto page = metrics.page();
  CHECK(has_line(page, "request_processing_seconds_count 0"));
  CHECK(has_line(page, "my_progressed_requests 0"));
  CHECK(has_line(page, "model_client_consecutive_failures 0"));
  for (const auto* reason : {"unresolved", "unreachable", "deadline", "disconnected", "malformed",
                             "overloaded", "refused", "server_error"}) {
    INFO(reason);
    CHECK(has_line(page, std::string("model_client_failures_total{reason=\"") + reason + "\"} 0"));
  }
  CHECK(page.find("\nmodel_client_last_prediction ") == std::string::npos);
}

TEST_CASE("a prediction moves its metrics") {
  ClientMetrics metrics;
  metrics.observe_request(2ms);
  metrics.observe_prediction(-0.25);
  const auto page = metrics.page();
  CHECK(has_line(page, "request_processing_seconds_count 1"));
  CHECK(has_line(page, "request_processing_seconds_sum 0.002"));
  CHECK(has_line(page, "request_processing_seconds_bucket{le=\"0.001\"} 0"));
  CHECK(has_line(page, "request_processing_seconds_bucket{le=\"0.0025\"} 1"));
  CHECK(has_line(page, "my_progressed_requests 1"));
  CHECK(has_line(page, "model_client_last_prediction -0.25"));
  CHECK(page.find("\nmodel_client_last_prediction_timestamp_seconds 1") != std::string::npos);
}

TEST_CASE("a failure is counted under its reason, and as nothing else") {
  ClientMetrics metrics;
  metrics.observe_failure(Failure::overloaded);
  metrics.set_failures_in_a_row(1);
  metrics.set_pause(1500ms);
  const auto page = metrics.page();
  CHECK(has_line(page, R"(model_client_failures_total{reason="overloaded"} 1)"));
  CHECK(has_line(page, R"(model_client_failures_total{reason="refused"} 0)"));
  CHECK(has_line(page, "model_client_consecutive_failures 1"));
  CHECK(has_line(page, "model_client_pause_seconds 1.5"));
  CHECK(has_line(page, "my_progressed_requests 0"));
}

TEST_CASE("what /proc does not say of the client is not on its page") {
  ClientMetrics metrics{service::OwnProcess("/nonexistent")};
  const auto page = metrics.page();
  CHECK(page.find("process_resident_memory_bytes") == std::string::npos);
  CHECK(page.find("process_start_time_seconds") == std::string::npos);
  CHECK(page.find("process_cpu_seconds_total ") != std::string::npos);
}

TEST_CASE("the client tells of its process") {
  ClientMetrics metrics;
  const auto page = metrics.page();
  for (const auto* name : {"process_cpu_seconds_total ", "process_resident_memory_bytes ",
                           "process_start_time_seconds "}) {
    INFO(name);
    const auto at = page.find(std::string("\n") + name);
    REQUIRE(at != std::string::npos);
    CHECK(std::stod(page.substr(at + 1 + std::string(name).size())) > 0);
  }
}
