#include "model_server/metrics_page.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/model_files.hpp"

using model_server::Api;
using model_server::MetricsPage;
using model_server::Reason;
using model_server::Result;
using model_server::Seconds;

namespace {

model_server::ModelFiles pair_model() {
  return {.manifest = model_server::parse_manifest(tests::kManifest), .onnx = {}};
}

/// The value of the first series of that name which has these labels, spelled as on the page; NAN,
/// which equals nothing, when there is none.
double value_of(const MetricsPage& page, const std::string& name, const std::string& labels = "",
                const std::string& more_labels = "") {
  std::istringstream text(page.text());
  for (std::string line; std::getline(text, line);) {
    const bool is_series = line.starts_with(name + "{") || line.starts_with(name + " ");
    if (is_series && line.find(labels) != std::string::npos &&
        line.find(more_labels) != std::string::npos) {
      return std::stod(line.substr(line.rfind(' ') + 1));
    }
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

TEST_CASE("every series is there at 0 before the first request") {
  const MetricsPage page(pair_model(), Seconds(0.5));
  const auto [name, labels] = GENERATE(table<const char*, const char*>({
      {"model_ready", ""},
      {"model_load_failures_total", ""},
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
      {"model_input_value_count", ""},
      {"model_output_value_count", ""},
      {"model_input_step_count", ""},
      {"model_input_value_sum_total", "sign=\"positive\""},
      {"model_input_value_sum_total", "sign=\"negative\""},
      {"model_output_value_sum_total", "sign=\"negative\""},
      {"model_input_value_squared_sum_total", ""},
      {"model_output_value_squared_sum_total", ""},
      {"model_input_bin_total", "bin=\"0\""},
      {"model_input_bin_total", "bin=\"3\""},
      {"model_input_out_of_reference_total", ""},
      {"model_far_values_total", "value=\"input\""},
      {"model_far_values_total", "value=\"output\""},
      {"model_far_values_total", "value=\"error\""},
      {"model_input_constant_total", ""},
      {"model_prediction_errors_total", ""},
      {"model_prediction_error_squared_sum_total", ""},
      {"model_baseline_error_squared_sum_total", ""},
      {"input_window_size", ""},
  }));
  INFO(name << ' ' << labels);
  CHECK(value_of(page, name, labels) == 0);
}

TEST_CASE("requests are there by interface and result") {
  MetricsPage page(pair_model(), Seconds(0.5));
  const auto requests = [&](const std::string& api, const std::string& result) {
    return value_of(page, "model_requests_total", "api=\"" + api, "result=\"" + result);
  };
  for (const auto* api : {"seed", "v2"}) {
    for (const auto* result : {"success", "bad_request", "overload", "error"}) {
      CHECK(requests(api, result) == 0);
    }
  }
  page.request_began();
  page.request_began();
  CHECK(value_of(page, "model_requests_in_flight") == 2);
  page.request_ended(Api::v2, Result::overload, Seconds(3e-5));
  CHECK(value_of(page, "model_requests_in_flight") == 1);
  CHECK(requests("v2", "overload") == 1);
  CHECK(value_of(page, "model_request_duration_seconds_bucket", "le=\"2.5e-05\"") == 0);
  CHECK(value_of(page, "model_request_duration_seconds_bucket", "le=\"5e-05\"") == 1);
  page.count_refused(Api::seed);
  CHECK(requests("seed", "bad_request") == 1);
  page.count_rejection(Reason::too_large);
  CHECK(value_of(page, "model_input_rejected_total", "reason=\"too_large\"") == 1);
}

TEST_CASE("inputs become moments, bins and steps") {
  MetricsPage page(pair_model(), Seconds(0.5));
  page.observe_input(std::vector<double>{-0.75, 0.25}, -2);
  page.observe_input(std::vector<double>{2, 2}, 0.5);
  CHECK(value_of(page, "model_input_value_count") == 4);
  CHECK(value_of(page, "model_input_value_sum_total", "sign=\"positive\"") == 4.25);
  CHECK(value_of(page, "model_input_value_sum_total", "sign=\"negative\"") == 0.75);
  CHECK(value_of(page, "model_input_value_squared_sum_total") == 0.5625 + 0.0625 + 8);
  CHECK(value_of(page, "model_input_value_bucket", "le=\"-0.5\"") == 1);
  CHECK(value_of(page, "model_input_value_bucket", "le=\"0.5\"") == 2);
  CHECK(value_of(page, "model_input_bin_total", "bin=\"0\"") == 1);
  CHECK(value_of(page, "model_input_bin_total", "bin=\"1\"") == 0);
  CHECK(value_of(page, "model_input_bin_total", "bin=\"2\"") == 1);
  CHECK(value_of(page, "model_input_bin_total", "bin=\"3\"") == 2);
  CHECK(value_of(page, "model_input_out_of_reference_total") == 2);
  CHECK(value_of(page, "model_input_constant_total") == 1);
  CHECK(value_of(page, "model_input_value_sum") == 5);
  CHECK(value_of(page, "model_input_step_count") == 2);
  CHECK(value_of(page, "model_input_step_bucket", "le=\"0\"") == 1);
  CHECK(value_of(page, "model_output_value_sum_total", "sign=\"negative\"") == 2);
  CHECK(value_of(page, "model_output_value_squared_sum_total") == 4.25);
  CHECK(value_of(page, "model_output_value_bucket", "le=\"-1\"") == 1);
}

TEST_CASE("a value as large as a float does not stop what is counted after it") {
  MetricsPage page(pair_model(), Seconds(0.5));
  const auto far = [&](const std::string& subject) {
    return value_of(page, "model_far_values_total", "value=\"" + subject);
  };
  page.observe_input(std::vector<double>{1e30, -3.4e38}, -1e30);
  page.observe_errors({.model = 1e30, .persistence = 0});
  page.observe_errors({.model = 0, .persistence = -1e30});
  CHECK(far("input") == 2);
  CHECK(far("output") == 1);
  CHECK(far("error") == 2);
  // 150 and 100 are just not too far for this reference.
  page.observe_input(std::vector<double>{150, -0.5}, -100);
  page.observe_errors({.model = 3, .persistence = 4});
  CHECK(far("input") == 2);
  CHECK(far("output") == 1);
  CHECK(value_of(page, "model_input_value_sum_total", "sign=\"positive\"") == 150);
  CHECK(value_of(page, "model_input_value_sum_total", "sign=\"negative\"") == 0.5);
  CHECK(value_of(page, "model_input_value_squared_sum_total") == 22500.25);
  CHECK(value_of(page, "model_input_value_sum") == 150.5);
  CHECK(value_of(page, "model_input_step_sum") == 150.5);
  CHECK(value_of(page, "model_output_value_squared_sum_total") == 10000);
  CHECK(value_of(page, "model_prediction_errors_total") == 1);
  CHECK(value_of(page, "model_prediction_error_squared_sum_total") == 9);
  CHECK(value_of(page, "model_baseline_error_squared_sum_total") == 16);
  // All of them are values: the histogram and the bins have them.
  CHECK(value_of(page, "model_input_value_count") == 4);
  CHECK(value_of(page, "model_input_bin_total", "bin=\"0\"") == 2);
  CHECK(value_of(page, "model_input_out_of_reference_total") == 3);
}

TEST_CASE("a value on an edge is in the bin that le says") {
  MetricsPage page(pair_model(), Seconds(0.5));
  page.observe_input(std::vector<double>{-0.5, 0.5}, 0);
  CHECK(value_of(page, "model_input_value_bucket", "le=\"-0.5\"") == 1);
  CHECK(value_of(page, "model_input_bin_total", "bin=\"0\"") == 1);
  CHECK(value_of(page, "model_input_value_bucket", "le=\"0.5\"") == 2);
  CHECK(value_of(page, "model_input_bin_total", "bin=\"2\"") == 1);
}

TEST_CASE("executions, errors and the old gauge are counted") {
  MetricsPage page(pair_model(), Seconds(0.5));
  page.observe_execution(3, Seconds(1e-4), Seconds(2e-3));
  CHECK(value_of(page, "model_inferences_total") == 3);
  CHECK(value_of(page, "model_executions_total") == 1);
  CHECK(value_of(page, "model_queue_duration_seconds_sum") == Approx(1e-4));
  CHECK(value_of(page, "model_compute_duration_seconds_sum") == Approx(2e-3));
  page.observe_errors({.model = -3, .persistence = 4});
  CHECK(value_of(page, "model_prediction_errors_total") == 1);
  CHECK(value_of(page, "model_prediction_error_squared_sum_total") == 9);
  CHECK(value_of(page, "model_baseline_error_squared_sum_total") == 16);
  CHECK(page.text().find("# TYPE input_variance") == std::string::npos);
  page.set_input_variance(0.125, 7);
  CHECK(value_of(page, "input_variance") == 0.125);
  CHECK(value_of(page, "input_window_size") == 7);
  page.count_load_failure();
  CHECK(value_of(page, "model_load_failures_total") == 1);
  page.set_ready(true);
  CHECK(value_of(page, "model_ready") == 1);
}

TEST_CASE("the page says which model it is and what its inputs were") {
  const MetricsPage page(pair_model(), Seconds(0.5));
  const auto text = page.text();
  CHECK(text.find("model_info{format=\"onnx\",model=\"pair\",runtime=\"opencv 4.") !=
        std::string::npos);
  CHECK(text.find("sha256=\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"") !=
        std::string::npos);
  CHECK(value_of(page, "model_load_duration_seconds") == 0.5);
  CHECK(value_of(page, "model_load_timestamp_seconds") > 1e9);
  CHECK(value_of(page, "model_reference_input_value_bucket", "le=\"0\"") == 3);
  CHECK(value_of(page, "model_reference_input_value_count") == 8);
  CHECK(value_of(page, "model_reference_input_value_sum") == 2);
  CHECK(value_of(page, "model_reference_input_bin_ratio", "bin=\"0\"") == Approx(0.15));
  CHECK(value_of(page, "model_reference_input_bin_ratio", "bin=\"2\"") == Approx(0.05));
  CHECK(value_of(page, "model_reference_bin_width") == 0.5);
  CHECK(
      text.find("model_reference_psi_threshold{model=\"pair\",version=\"2\",window=\"6h\"} 1\n") !=
      std::string::npos);
}

TEST_CASE("bins that are not alike have no width") {
  auto files = pair_model();
  files.manifest.reference.edges = {-0.5, 0, 0.6};
  const MetricsPage page(files, Seconds(0));
  CHECK(page.text().find("model_reference_bin_width") == std::string::npos);
}
