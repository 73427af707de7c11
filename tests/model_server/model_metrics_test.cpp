#include "model_server/model_metrics.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/model_files.hpp"
#include "tests/support/model_page.hpp"

using model_server::ModelMetrics;
using model_server::Seconds;
using tests::text_of;
using tests::value_of;

namespace {

model_server::Manifest pair_model() { return model_server::parse_manifest(tests::kManifest); }

}  // namespace

TEST_CASE("every series is there at 0 before the first request") {
  const ModelMetrics page(pair_model(), Seconds(0.5));
  const auto [name, labels] = GENERATE(table<const char*, const char*>({
      {"model_input_value_count", ""},
      {"model_output_value_count", ""},
      {"model_input_step_count", ""},
      {"model_input_value_signed_sum_total", "sign=\"positive\""},
      {"model_input_value_signed_sum_total", "sign=\"negative\""},
      {"model_output_value_signed_sum_total", "sign=\"negative\""},
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

TEST_CASE("inputs become moments, bins and steps") {
  ModelMetrics page(pair_model(), Seconds(0.5));
  page.observe_input(std::vector<double>{-0.75, 0.25}, -2);
  page.observe_input(std::vector<double>{2, 2}, 0.5);
  CHECK(value_of(page, "model_input_value_count") == 4);
  CHECK(value_of(page, "model_input_value_signed_sum_total", "sign=\"positive\"") == 4.25);
  CHECK(value_of(page, "model_input_value_signed_sum_total", "sign=\"negative\"") == 0.75);
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
  CHECK(value_of(page, "model_output_value_signed_sum_total", "sign=\"negative\"") == 2);
  CHECK(value_of(page, "model_output_value_squared_sum_total") == 4.25);
  CHECK(value_of(page, "model_output_value_bucket", "le=\"-1\"") == 1);
}

TEST_CASE("a value as large as a float does not stop what is counted after it") {
  ModelMetrics page(pair_model(), Seconds(0.5));
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
  CHECK(value_of(page, "model_input_value_signed_sum_total", "sign=\"positive\"") == 150);
  CHECK(value_of(page, "model_input_value_signed_sum_total", "sign=\"negative\"") == 0.5);
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
  ModelMetrics page(pair_model(), Seconds(0.5));
  page.observe_input(std::vector<double>{-0.5, 0.5}, 0);
  CHECK(value_of(page, "model_input_value_bucket", "le=\"-0.5\"") == 1);
  CHECK(value_of(page, "model_input_bin_total", "bin=\"0\"") == 1);
  CHECK(value_of(page, "model_input_value_bucket", "le=\"0.5\"") == 2);
  CHECK(value_of(page, "model_input_bin_total", "bin=\"2\"") == 1);
}

TEST_CASE("errors and the old gauge are counted") {
  ModelMetrics page(pair_model(), Seconds(0.5));
  page.observe_errors({.model = -3, .persistence = 4});
  CHECK(value_of(page, "model_prediction_errors_total") == 1);
  CHECK(value_of(page, "model_prediction_error_squared_sum_total") == 9);
  CHECK(value_of(page, "model_baseline_error_squared_sum_total") == 16);
  CHECK(text_of(page).find("# TYPE input_variance") == std::string::npos);
  page.set_input_variance(0.125, 7);
  CHECK(value_of(page, "input_variance") == 0.125);
  CHECK(value_of(page, "input_window_size") == 7);
}

TEST_CASE("the page says which model it is and what its inputs were") {
  const ModelMetrics page(pair_model(), Seconds(0.5));
  const auto text = text_of(page);
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
  auto manifest = pair_model();
  manifest.reference.edges = {-0.5, 0, 0.6};
  const ModelMetrics page(manifest, Seconds(0));
  CHECK(text_of(page).find("model_reference_bin_width") == std::string::npos);
}
