#include "exporter/self_metrics.hpp"

#include <catch2/catch.hpp>

#include "metrics/text_encoder.hpp"

using exporter::OnPage;
using exporter::Route;
using exporter::SelfMetrics;
using namespace std::chrono_literals;

namespace {

std::string page_of(SelfMetrics& self) {
  metrics::TextEncoder encoder(metrics::TextFormat::prometheus_0_0_4);
  self.emit(encoder);
  return std::string(encoder.text());
}

}  // namespace

TEST_CASE("requests are counted by handler and status") {
  SelfMetrics self;
  CHECK_THAT(page_of(self),
             Catch::Contains("requests_total{handler=\"metrics\",code=\"200\"} 0\n"));
  self.observe_request(Route::metrics, 200, 2ms);
  self.observe_request(Route::metrics, 200, 2ms);
  self.observe_request(Route::metrics, 503, 2ms);
  const auto page = page_of(self);
  CHECK_THAT(page, Catch::Contains("requests_total{handler=\"metrics\",code=\"200\"} 2\n"));
  CHECK_THAT(page, Catch::Contains("requests_total{handler=\"metrics\",code=\"503\"} 1\n"));
  CHECK_THAT(page,
             Catch::Contains("duration_seconds_bucket{handler=\"metrics\",le=\"0.0025\"} 3\n"));
}

TEST_CASE("what the ticks cost adds up") {
  SelfMetrics self;
  CHECK_THAT(page_of(self), Catch::Contains("sampler_cpu_seconds_total 0\n"));
  self.observe_tick(125us);
  self.observe_tick(125us);
  CHECK_THAT(page_of(self), Catch::Contains("sampler_cpu_seconds_total 0.00025\n"));
}

TEST_CASE("the process tells of itself") {
  SelfMetrics self;
  for (const auto* family : {"cpu_seconds_total", "start_time_seconds", "open_fds", "max_fds",
                             "virtual_memory_bytes", "resident_memory_bytes"}) {
    CHECK_THAT(page_of(self), Catch::Contains("\nprocess_" + std::string(family) + " "));
  }
}

TEST_CASE("nothing is written when it is not for the page") {
  SelfMetrics self(OnPage::no);
  CHECK(page_of(self).empty());
}
