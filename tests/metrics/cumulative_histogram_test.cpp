#include "metrics/cumulative_histogram.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

namespace {

constexpr std::array kEdges = {0.1, 0.5, 1.0};
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<std::uint64_t> counts_of(const metrics::CumulativeHistogram& histogram) {
  std::array<metrics::Bucket, kEdges.size() + 1> room{};
  std::vector<std::uint64_t> counts;
  for (const auto& bucket : histogram.reading(room).buckets) {
    counts.push_back(bucket.cumulative_count);
  }
  return counts;
}

}  // namespace

TEST_CASE("a histogram has all its buckets at zero from the start") {
  const metrics::CumulativeHistogram histogram(kEdges);
  std::array<metrics::Bucket, 4> room{};
  REQUIRE(histogram.bucket_count() == room.size());
  const auto reading = histogram.reading(room);
  CHECK(reading.sum == 0);
  REQUIRE(reading.buckets.size() == 4);
  CHECK(reading.buckets[0].upper_bound == 0.1);
  CHECK(reading.buckets[2].upper_bound == 1.0);
  CHECK(reading.buckets[3].upper_bound == kInfinity);
  CHECK(counts_of(histogram) == std::vector<std::uint64_t>{0, 0, 0, 0});
}

TEST_CASE("a sample falls into the first bucket that is not below it") {
  using Counts = std::vector<std::uint64_t>;
  const auto [value, counts] = GENERATE(table<double, Counts>({
      {-1, {1, 1, 1, 1}},
      {0, {1, 1, 1, 1}},
      {0.1, {1, 1, 1, 1}},  // an edge belongs to its bucket
      {std::nextafter(0.1, 1), {0, 1, 1, 1}},
      {0.5, {0, 1, 1, 1}},
      {0.7, {0, 0, 1, 1}},
      {1.0, {0, 0, 1, 1}},
      {std::nextafter(1.0, 2), {0, 0, 0, 1}},
      {kInfinity, {0, 0, 0, 1}},
  }));
  INFO(value);
  metrics::CumulativeHistogram histogram(kEdges);
  histogram.record(value);
  CHECK(counts_of(histogram) == counts);
}

TEST_CASE("a histogram only grows, and its sum is that of the samples") {
  metrics::CumulativeHistogram histogram(kEdges);
  for (const double value : {0.25, 0.25, 2.0, 0.0}) histogram.record(value);
  std::array<metrics::Bucket, 4> room{};
  CHECK(histogram.reading(room).sum == 2.5);
  CHECK(counts_of(histogram) == std::vector<std::uint64_t>{1, 3, 3, 4});
  histogram.record(1);
  CHECK(counts_of(histogram) == std::vector<std::uint64_t>{1, 3, 4, 5});
}

TEST_CASE("what is not a number is not a sample") {
  metrics::CumulativeHistogram histogram(kEdges);
  histogram.record(std::numeric_limits<double>::quiet_NaN());
  std::array<metrics::Bucket, 4> room{};
  CHECK(histogram.reading(room).sum == 0);
  CHECK(counts_of(histogram) == std::vector<std::uint64_t>{0, 0, 0, 0});
}

TEST_CASE("a histogram without edges counts and sums") {
  metrics::CumulativeHistogram histogram(std::span<const double>{});
  histogram.record(3);
  std::array<metrics::Bucket, 1> room{};
  const auto reading = histogram.reading(room);
  REQUIRE(reading.buckets.size() == 1);
  CHECK(reading.buckets[0].cumulative_count == 1);
}
