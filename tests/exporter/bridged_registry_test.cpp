#include "exporter/bridged_registry.hpp"

#include <catch2/catch.hpp>

#include "metrics/text_encoder.hpp"

using exporter::BridgedRegistry;
using metrics::Family;
using metrics::Kind;

namespace {

std::string page_of(const BridgedRegistry& registry) {
  metrics::TextEncoder encoder(metrics::TextFormat::prometheus_0_0_4);
  registry.emit(encoder);
  return std::string(encoder.text());
}

constexpr Family kCounter = {"c_total", "A \\ and\na newline.", Kind::counter};

}  // namespace

TEST_CASE("a registry's metrics come out as from a collector") {
  BridgedRegistry registry;
  registry.counter(kCounter, {{"l", "v\xff"}}).Increment(0.30000000000000004);
  registry.gauge({"g", "Help."}).Set(-1);
  CHECK(page_of(registry) ==
        "# HELP c_total A \\\\ and\\na newline.\n# TYPE c_total counter\n"
        "c_total{l=\"v\xEF\xBF\xBD\"} 0.30000000000000004\n"
        "# HELP g Help.\n# TYPE g gauge\ng -1\n");
}

TEST_CASE("a registry's histogram keeps its buckets") {
  BridgedRegistry registry;
  auto& histogram = registry.histogram({"h_seconds", "Help.", Kind::histogram}, {0.5, 1});
  histogram.Observe(0.25);
  histogram.Observe(4);
  CHECK(page_of(registry) ==
        "# HELP h_seconds Help.\n# TYPE h_seconds histogram\n"
        "h_seconds_bucket{le=\"0.5\"} 1\nh_seconds_bucket{le=\"1.0\"} 1\n"
        "h_seconds_bucket{le=\"+Inf\"} 2\nh_seconds_sum 4.25\nh_seconds_count 2\n");
}

TEST_CASE("a metric asked for again is the same one; families stay together on the page") {
  BridgedRegistry registry;
  registry.counter(kCounter, {{"code", "200"}}).Increment();
  registry.gauge({"g", "Help."});
  registry.counter(kCounter, {{"code", "404"}}).Increment();
  registry.counter(kCounter, {{"code", "200"}}).Increment();
  CHECK_THAT(page_of(registry), Catch::Contains("counter\nc_total{code=\"200\"} 2\n"
                                                "c_total{code=\"404\"} 1\n# HELP g "));
}
