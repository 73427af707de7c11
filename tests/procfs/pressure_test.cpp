#include "procfs/pressure.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "tests/support/fixture_host.hpp"

using procfs::parse_pressure;

namespace {

const std::string kWholePressure =
    "some avg10=0.99 avg60=1.12 avg300=0.39 total=8021680\n"
    "full avg10=0.00 avg60=0.00 avg300=0.16 total=4825765\n";

}  // namespace

TEST_CASE("parse_pressure reads both totals") {
  const auto pressure = parse_pressure(kWholePressure);
  REQUIRE(pressure);
  CHECK(pressure->some_microseconds == 8021680);
  CHECK(pressure->full_microseconds == 4825765);
}

TEST_CASE("parse_pressure tells an absent line from a total of 0") {
  // cpu before Linux 5.13 has no full, irq has no some.
  const auto cpu = parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
  REQUIRE(cpu);
  CHECK(cpu->some_microseconds == 0);
  CHECK_FALSE(cpu->full_microseconds);

  const auto irq = parse_pressure("full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n");
  REQUIRE(irq);
  CHECK_FALSE(irq->some_microseconds);
  CHECK(irq->full_microseconds == 7);
}

TEST_CASE("parse_pressure passes over averages and lines it does not know") {
  const auto pressure = parse_pressure("most total=1\nsome avg1=? total=18446744073709551615\n");
  REQUIRE(pressure);
  CHECK(pressure->some_microseconds == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("parse_pressure rejects text that is not of /proc/pressure") {
  const auto [what, text] = GENERATE(table<const char*, std::string>({
      {"empty file", ""},
      {"one newline", "\n"},
      {"other words", "none total=5\n"},
      {"key alone", "some\n"},
      {"no total", "some avg10=0.00 avg60=0.00 avg300=0.00\n"},
      {"total without number", "some avg10=0.00 avg60=0.00 avg300=0.00 total=\n"},
      {"negative total", "some avg10=0.00 avg60=0.00 avg300=0.00 total=-5\n"},
      {"fraction", "some avg10=0.00 avg60=0.00 avg300=0.00 total=5.5\n"},
      {"past 64 bits", "some avg10=0.00 avg60=0.00 avg300=0.00 total=18446744073709551616\n"},
      {"total inside a word", "some subtotal=5\n"},
      {"more behind the total", "some avg10=0.00 total=5 more\n"},
      {"a good line, then a bad one", "some total=5\nfull total=x\n"},
  }));
  INFO(what);
  const auto pressure = parse_pressure(text);
  REQUIRE_FALSE(pressure);
  CHECK(pressure.error().code == metrics::Errc::malformed);
}

TEST_CASE("parse_pressure survives any truncation and damage") {
  tests::survives_truncation_and_damage(kWholePressure, parse_pressure);
}
