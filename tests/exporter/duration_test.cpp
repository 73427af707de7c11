#include "exporter/duration.hpp"

#include <catch2/catch.hpp>

using exporter::parse_duration;
using namespace std::chrono_literals;

TEST_CASE("parse_duration reads Prometheus' notation") {
  const auto [text, expected] = GENERATE(table<const char*, std::chrono::nanoseconds>({
      {"5m", 5min},
      {"1s", 1s},
      {"500ms", 500ms},
      {"1h30m", 90min},
      {"1d", 24h},
      {"1d2h3m4s5ms", 26h + 3min + 4s + 5ms},
      {"90s", 90s},
  }));
  INFO(text);
  CHECK(parse_duration(text) == expected);
}

TEST_CASE("parse_duration refuses what is not a duration") {
  const auto* text = GENERATE("", "0s", "5", "m", "5 m", "-5m", "+5m", "5m1h", "5m5m", "1.5h", "5M",
                              "5m ", "4294967296s", "4294967295d", "367d", "1ns", "\xff");
  INFO(text);
  CHECK_FALSE(parse_duration(text));
}
