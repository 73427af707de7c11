#include "exporter/registry_bridge.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <catch2/catch.hpp>

#include "metrics/text_encoder.hpp"

TEST_CASE("a registry's metrics come out as from a collector") {
  prometheus::Registry registry;
  prometheus::BuildCounter()
      .Name("c_total")
      .Help("A \\ and\na newline.")
      .Register(registry)
      .Add({{"l", "v\xff"}})
      .Increment(0.30000000000000004);
  metrics::TextEncoder encoder(metrics::TextFormat::prometheus_0_0_4);
  exporter::emit_registry(registry, encoder);
  CHECK(encoder.text() ==
        "# HELP c_total A \\\\ and\\na newline.\n# TYPE c_total counter\n"
        "c_total{l=\"v\xEF\xBF\xBD\"} 0.30000000000000004\n");
}

TEST_CASE("a registry's histogram keeps its buckets") {
  prometheus::Registry registry;
  auto& histogram = prometheus::BuildHistogram()
                        .Name("h_seconds")
                        .Help("Help.")
                        .Register(registry)
                        .Add({}, prometheus::Histogram::BucketBoundaries{0.5, 1});
  histogram.Observe(0.25);
  histogram.Observe(4);
  metrics::TextEncoder encoder(metrics::TextFormat::prometheus_0_0_4);
  exporter::emit_registry(registry, encoder);
  CHECK(encoder.text() ==
        "# HELP h_seconds Help.\n# TYPE h_seconds histogram\n"
        "h_seconds_bucket{le=\"0.5\"} 1\nh_seconds_bucket{le=\"1.0\"} 1\n"
        "h_seconds_bucket{le=\"+Inf\"} 2\nh_seconds_sum 4.25\nh_seconds_count 2\n");
}
