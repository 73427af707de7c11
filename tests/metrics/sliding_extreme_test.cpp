#include "metrics/sliding_extreme.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using metrics::SlidingExtreme;
using Which = SlidingExtreme::Which;

namespace {

SlidingExtreme::Time at(std::chrono::nanoseconds time) { return SlidingExtreme::Time(1h + time); }

}  // namespace

TEST_CASE("without samples there is no extreme") {
  const SlidingExtreme extreme(Which::largest, 600s);
  CHECK_FALSE(extreme.at(at(0s)));
}

TEST_CASE("the extreme is the largest or the smallest sample, with its time") {
  const auto [which, value, time] = GENERATE(table<Which, double, std::chrono::seconds>({
      {Which::largest, 9.0, 2s},
      {Which::smallest, -4.0, 15s},
  }));
  SlidingExtreme extreme(which, 600s);
  extreme.record(at(1s), 1);
  extreme.record(at(2s), 9);
  extreme.record(at(3s), 2);
  extreme.record(at(14s), 5);
  extreme.record(at(15s), -4);
  extreme.record(at(16s), 8);
  const auto found = extreme.at(at(20s));
  REQUIRE(found);
  CHECK(found->value == value);
  CHECK(found->time == at(time));
}

TEST_CASE("of equal samples the newest tells the time, within a bucket and over several") {
  SlidingExtreme extreme(Which::largest, 600s);
  for (const auto time : {1s, 2s}) extreme.record(at(time), 1);
  CHECK(extreme.at(at(3s))->time == at(2s));
  for (const auto time : {31s, 32s, 33s}) extreme.record(at(time), 1);
  CHECK(extreme.at(at(40s))->time == at(33s));
}

TEST_CASE("a sample is seen for the window at least, and no longer than a bucket more") {
  // Buckets of 10 s; 1 h is the start of one.
  const auto [recorded, last_seen, gone] =
      GENERATE(table<std::chrono::nanoseconds, std::chrono::nanoseconds, std::chrono::nanoseconds>({
          {0s, 610s - 1ns, 610s},  // at the start of its bucket: a whole bucket longer
          {5s, 610s - 1ns, 610s},
          {10s - 1ns, 610s - 1ns, 610s},  // at the end: the window and a nanosecond
          {10s, 620s - 1ns, 620s},
      }));
  SlidingExtreme extreme(Which::largest, 600s);
  extreme.record(at(recorded), 7);
  CHECK(extreme.at(at(recorded))->value == 7);
  REQUIRE(extreme.at(at(last_seen)));
  CHECK(extreme.at(at(last_seen))->time == at(recorded));
  CHECK_FALSE(extreme.at(at(gone)));
}

TEST_CASE("when the extreme goes, the next one of the window takes its place") {
  SlidingExtreme extreme(Which::largest, 60s);  // buckets of 1 s
  for (int second = 0; second <= 100; ++second) {
    extreme.record(at(std::chrono::seconds(second)), 1000 - second);
    const auto oldest = std::max(0, second - 60);
    INFO(second);
    REQUIRE(extreme.at(at(std::chrono::seconds(second))));
    CHECK(extreme.at(at(std::chrono::seconds(second)))->value == 1000 - oldest);
  }
}

TEST_CASE("a bucket that comes round again forgets what it held") {
  SlidingExtreme extreme(Which::largest, 60s);
  extreme.record(at(0s), 9);
  extreme.record(at(61s), 1);  // the same place in the ring
  CHECK(extreme.at(at(61s))->value == 1);
  extreme.record(at(1000s), 2);
  CHECK(extreme.at(at(1000s))->value == 2);
  CHECK_FALSE(extreme.at(at(2000s)));
}

TEST_CASE("a window that its buckets do not divide is covered whole") {
  SlidingExtreme extreme(Which::smallest, 61ns);  // buckets of 2 ns
  extreme.record(at(1ns), 3);
  CHECK(extreme.at(at(62ns)));
  CHECK_FALSE(extreme.at(at(1000ns)));
}
