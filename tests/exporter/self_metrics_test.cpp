#include "exporter/self_metrics.hpp"

#include <catch2/catch.hpp>
#include <cstdio>
#include <memory>

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

TEST_CASE("passes, pages and refused families are told") {
  SelfMetrics self;
  self.observe_pass(3ms);
  self.observe_page(4711);
  self.count_refused_families(2);
  const auto page = page_of(self);
  CHECK_THAT(page, Catch::Contains("pass_duration_seconds_bucket{le=\"0.0025\"} 0\n"));
  CHECK_THAT(page, Catch::Contains("pass_duration_seconds_bucket{le=\"0.01\"} 1\n"));
  CHECK_THAT(page, Catch::Contains("exporter_page_bytes 4711\n"));
  CHECK_THAT(page, Catch::Contains("refused_families_total 2\n"));
}

TEST_CASE("each event is counted under its name") {
  const auto [event, name] = GENERATE(table<http::Event, const char*>({
      {http::Event::accept_failed, "accept_failed"},
      {http::Event::connection_refused, "connection_refused"},
      {http::Event::request_rejected, "request_rejected"},
      {http::Event::deadline_passed, "deadline_passed"},
      {http::Event::session_failed, "session_failed"},
  }));
  SelfMetrics self;
  self.observe_event(event);
  CHECK_THAT(page_of(self),
             Catch::Contains("events_total{event=\"" + std::string(name) + "\"} 1\n"));
}

TEST_CASE("open descriptors and memory are those of this process") {
  SelfMetrics self;
  const auto value_of = [&](const std::string& name) {
    const auto page = page_of(self);
    const auto at = page.find("\n" + name + " ");
    REQUIRE(at != std::string::npos);
    return std::stod(page.substr(at + name.size() + 2));
  };
  value_of("process_open_fds");  // the first page opens a file that is kept
  const auto before = value_of("process_open_fds");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> opened(std::fopen("/dev/null", "r"),
                                                               std::fclose);
  REQUIRE(opened != nullptr);
  CHECK(value_of("process_open_fds") == before + 1);
  CHECK(value_of("process_resident_memory_bytes") > 0);
  CHECK(value_of("process_resident_memory_bytes") <= value_of("process_virtual_memory_bytes"));
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
