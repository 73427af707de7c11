// Which families a page takes, and which it refuses for names that are on it.
#include <array>
#include <catch2/catch.hpp>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include "metrics/text_encoder.hpp"

using metrics::Bucket;
using metrics::Family;
using metrics::Kind;
using metrics::TextEncoder;
using metrics::TextFormat;

TEST_CASE("a family whose name is on the page is refused with its samples") {
  constexpr std::array kBuckets = {Bucket{std::numeric_limits<double>::infinity(), 1}};
  TextEncoder encoder(TextFormat::prometheus_0_0_4);
  encoder.single({"x", "The host's."}, 1);
  encoder.single({"y", "Another."}, 2);
  const std::string before(encoder.text());
  encoder.family({"x", "An impostor.", Kind::histogram});
  encoder.sample({{"l", "v"}}, 3);
  encoder.histogram({}, {kBuckets, 4});
  CHECK(encoder.text() == before);
  CHECK(encoder.refused() == std::vector<std::string>{"x"});

  encoder.single({"z", "What follows is not refused."}, 5);
  CHECK_THAT(std::string(encoder.text()), Catch::EndsWith("z 5\n"));
}

TEST_CASE("a name of a sample, or of the other format, clashes like a family's") {
  TextEncoder encoder(GENERATE(TextFormat::prometheus_0_0_4, TextFormat::openmetrics_1_0_0));
  const auto [kind, name, other] = GENERATE(table<Kind, std::string, std::string>({
      {Kind::histogram, "x", "x_bucket"},
      {Kind::histogram, "x", "x_sum"},
      {Kind::summary, "x", "x_count"},
      {Kind::counter, "x_total", "x"},
  }));
  const auto refused = [&encoder](std::initializer_list<Family> families) {
    encoder.restart(encoder.format());
    for (const auto& family : families) encoder.family(family);
    return encoder.refused();
  };
  const Family whole{name, "h", kind};
  const Family gauge{name, "h"};
  const Family sample{other, "h"};
  CHECK(refused({whole, sample}) == std::vector{other});
  CHECK(refused({sample, whole}) == std::vector{name});
  CHECK(refused({gauge, sample}).empty());
  CHECK(refused({sample}).empty());
  CHECK(refused({whole, sample}) == std::vector{other});
}

TEST_CASE("thousands of families are told apart") {
  TextEncoder encoder(TextFormat::prometheus_0_0_4);
  std::vector<std::string> names;
  names.reserve(5000);
  for (int i = 0; i < 5000; ++i) names.push_back("family_" + std::to_string(i));
  for (const auto& name : names) encoder.single({name, "h"}, 1);
  CHECK(encoder.refused().empty());
  for (const auto& name : names) encoder.single({name, "h"}, 2);
  CHECK(encoder.refused() == names);
}

TEST_CASE("families that come no more are forgotten, and then known again") {
  TextEncoder encoder(TextFormat::prometheus_0_0_4);
  metrics::Sink& sink = encoder;
  for (int page = 0; page < 10; ++page) {
    encoder.restart(TextFormat::prometheus_0_0_4);
    for (int i = 0; i < 200; ++i) {
      const auto name = "family_" + std::to_string(page) + "_" + std::to_string(i);
      sink.single({name, "Help."}, i);
      sink.single({name, "Help."}, i);
    }
    CHECK(encoder.refused().size() == 200);
  }
}
