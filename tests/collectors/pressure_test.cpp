#include <catch2/catch.hpp>
#include <string>

#include "collectors/catalog.hpp"
#include "tests/support/fixture_host.hpp"

using tests::at_second;

namespace {

/// The files of a kernel without interrupt accounting.
void write_three(tests::FileTree& tree) {
  tree.write("proc/pressure/cpu",
             "some avg10=0.99 avg60=1.12 avg300=0.39 total=8021680\n"
             "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
  tree.write("proc/pressure/io",
             "some avg10=0.00 avg60=0.00 avg300=0.17 total=5102188\n"
             "full avg10=0.00 avg60=0.00 avg300=0.16 total=4273349\n");
  tree.write("proc/pressure/memory",
             "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500\n"
             "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
}

constexpr const char* kThreeSamples =
    "node_pressure_cpu_waiting_seconds_total 8.02168\n"
    "node_pressure_io_waiting_seconds_total 5.102188\n"
    "node_pressure_io_stalled_seconds_total 4.273349\n"
    "node_pressure_memory_waiting_seconds_total 0.0015\n"
    "node_pressure_memory_stalled_seconds_total 0\n";

}  // namespace

TEST_CASE("pressure shows the totals in seconds") {
  tests::FileTree tree;
  write_three(tree);
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kPressure.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK(tests::samples_of(*collector) == kThreeSamples);
  CHECK_THAT(tests::page_of(*collector),
             Catch::Contains("# TYPE node_pressure_io_stalled_seconds_total counter\n"));
}

TEST_CASE("pressure shows interrupts where the kernel accounts them") {
  tests::FileTree tree;
  write_three(tree);
  tree.write("proc/pressure/irq", "full avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kPressure.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK(tests::samples_of(*collector) ==
        std::string(kThreeSamples) + "node_pressure_irq_stalled_seconds_total 1.5\n");
}

TEST_CASE("pressure leaves out what a file does not say") {
  tests::FileTree tree;
  write_three(tree);
  tree.write("proc/pressure/io", "some avg10=0.00 avg60=0.00 avg300=0.17 total=1000000\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kPressure.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK_THAT(tests::samples_of(*collector),
             Catch::Contains("io_waiting_seconds_total 1\n") && !Catch::Contains("io_stalled"));
}

TEST_CASE("pressure fails on a malformed file, be it the optional one") {
  const std::string file = GENERATE("cpu", "io", "memory", "irq");
  INFO(file);
  tests::FileTree tree;
  write_three(tree);
  tree.write("proc/pressure/" + file, "some avg10=0.00\n");
  const tests::FixtureHost fixture(tree.path());
  const auto malformed = collectors::kPressure.make(fixture.host)->refresh(at_second(0));
  REQUIRE_FALSE(malformed);
  CHECK(malformed.error().code == metrics::Errc::malformed);
}

TEST_CASE("pressure is unsupported where one of its three files is missing") {
  const std::string file = GENERATE("cpu", "io", "memory");
  INFO(file);
  tests::FileTree tree;
  write_three(tree);
  tree.remove("proc/pressure/" + file);
  const tests::FixtureHost fixture(tree.path());
  const auto missing = collectors::kPressure.make(fixture.host)->refresh(at_second(0));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == metrics::Errc::unsupported);
}
