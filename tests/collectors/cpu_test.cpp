#include <catch2/catch.hpp>
#include <string>

#include "collectors/catalog.hpp"
#include "tests/support/fixture_host.hpp"

using tests::at_second;

namespace {

/// /proc/stat with these lines for its CPUs.
std::string stat_text(const std::string& cpu_lines) {
  return "cpu 1 2 3 4 5 6 7 8 9 10\n" + cpu_lines +
         "intr 1\nctxt 1\nbtime 1\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n";
}

}  // namespace

TEST_CASE("cpu shows the seconds of each CPU by mode") {
  tests::FileTree tree;
  tree.write("proc/stat", stat_text("cpu0 100 200 300 400 500 600 700 800 900 1000\n"
                                    "cpu3 150 0 0 25 0 0 0 0 50 0\n"));
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kCpu.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK(tests::samples_of(*collector) ==
        "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 4\n"
        "node_cpu_seconds_total{cpu=\"0\",mode=\"iowait\"} 5\n"
        "node_cpu_seconds_total{cpu=\"0\",mode=\"irq\"} 6\n"
        "node_cpu_seconds_total{cpu=\"0\",mode=\"nice\"} 2\n"
        "node_cpu_seconds_total{cpu=\"0\",mode=\"softirq\"} 7\n"
        "node_cpu_seconds_total{cpu=\"0\",mode=\"steal\"} 8\n"
        "node_cpu_seconds_total{cpu=\"0\",mode=\"system\"} 3\n"
        "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 1\n"
        "node_cpu_seconds_total{cpu=\"3\",mode=\"idle\"} 0.25\n"
        "node_cpu_seconds_total{cpu=\"3\",mode=\"iowait\"} 0\n"
        "node_cpu_seconds_total{cpu=\"3\",mode=\"irq\"} 0\n"
        "node_cpu_seconds_total{cpu=\"3\",mode=\"nice\"} 0\n"
        "node_cpu_seconds_total{cpu=\"3\",mode=\"softirq\"} 0\n"
        "node_cpu_seconds_total{cpu=\"3\",mode=\"steal\"} 0\n"
        "node_cpu_seconds_total{cpu=\"3\",mode=\"system\"} 0\n"
        "node_cpu_seconds_total{cpu=\"3\",mode=\"user\"} 1.5\n"
        "node_cpu_guest_seconds_total{cpu=\"0\",mode=\"nice\"} 10\n"
        "node_cpu_guest_seconds_total{cpu=\"0\",mode=\"user\"} 9\n"
        "node_cpu_guest_seconds_total{cpu=\"3\",mode=\"nice\"} 0\n"
        "node_cpu_guest_seconds_total{cpu=\"3\",mode=\"user\"} 0.5\n");
  CHECK_THAT(tests::page_of(*collector),
             Catch::Contains("# TYPE node_cpu_seconds_total counter\n") &&
                 Catch::Contains("# TYPE node_cpu_guest_seconds_total counter\n"));
}

TEST_CASE("cpu counters hold still while the kernel steps back a little") {
  tests::FileTree tree;
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kCpu.make(fixture.host);
  tree.write("proc/stat", stat_text("cpu0 100 0 0 1000 500 0 0 0 0 0\n"));
  REQUIRE(collector->refresh(at_second(0)));
  tree.write("proc/stat", stat_text("cpu0 200 0 0 701 499 0 0 0 0 0\n"));  // 2.99 s less idle
  REQUIRE(collector->refresh(at_second(1)));
  CHECK_THAT(tests::samples_of(*collector), Catch::Contains("mode=\"idle\"} 10\n") &&
                                                Catch::Contains("mode=\"iowait\"} 5\n") &&
                                                Catch::Contains("mode=\"user\"} 2\n"));
}

TEST_CASE("cpu counters start anew when idle time falls far: the CPU came back from offline") {
  tests::FileTree tree;
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kCpu.make(fixture.host);
  tree.write("proc/stat", stat_text("cpu0 900 0 0 1000 500 0 0 0 0 0\n"));
  REQUIRE(collector->refresh(at_second(0)));
  tree.write("proc/stat", stat_text("cpu0 100 0 0 700 0 0 0 0 0 0\n"));  // 3 s less idle
  REQUIRE(collector->refresh(at_second(1)));
  CHECK_THAT(tests::samples_of(*collector), Catch::Contains("mode=\"idle\"} 7\n") &&
                                                Catch::Contains("mode=\"iowait\"} 0\n") &&
                                                Catch::Contains("mode=\"user\"} 1\n"));
}

TEST_CASE("cpu holds back each CPU by its own past when others come and go") {
  tests::FileTree tree;
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kCpu.make(fixture.host);
  tree.write("proc/stat", stat_text("cpu0 0 0 0 100 0 0 0 0 0 0\n"
                                    "cpu1 0 0 0 200 0 0 0 0 0 0\n"
                                    "cpu3 0 0 0 300 0 0 0 0 0 0\n"));
  REQUIRE(collector->refresh(at_second(0)));
  tree.write("proc/stat", stat_text("cpu1 0 0 0 199 0 0 0 0 0 0\n"
                                    "cpu2 0 0 0 50 0 0 0 0 0 0\n"
                                    "cpu3 0 0 0 299 0 0 0 0 0 0\n"
                                    "cpu4 0 0 0 60 0 0 0 0 0 0\n"));
  REQUIRE(collector->refresh(at_second(1)));
  const auto samples = tests::samples_of(*collector);
  CHECK_THAT(samples, !Catch::Contains("cpu=\"0\""));
  CHECK_THAT(samples, Catch::Contains("{cpu=\"1\",mode=\"idle\"} 2\n"));
  CHECK_THAT(samples, Catch::Contains("{cpu=\"2\",mode=\"idle\"} 0.5\n"));
  CHECK_THAT(samples, Catch::Contains("{cpu=\"3\",mode=\"idle\"} 3\n"));
  CHECK_THAT(samples, Catch::Contains("{cpu=\"4\",mode=\"idle\"} 0.6\n"));
}

TEST_CASE("cpu remembers what it showed across a refresh that failed") {
  tests::FileTree tree;
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kCpu.make(fixture.host);
  tree.write("proc/stat", stat_text("cpu0 0 0 0 1000 0 0 0 0 0 0\n"));
  REQUIRE(collector->refresh(at_second(0)));
  tree.write("proc/stat", "cpu what?\n");
  const auto malformed = collector->refresh(at_second(1));
  REQUIRE_FALSE(malformed);
  CHECK(malformed.error().code == metrics::Errc::malformed);
  tree.write("proc/stat", stat_text("cpu0 0 0 0 999 0 0 0 0 0 0\n"));
  REQUIRE(collector->refresh(at_second(2)));
  CHECK_THAT(tests::samples_of(*collector), Catch::Contains("mode=\"idle\"} 10\n"));
}

TEST_CASE("cpu is unsupported where there is no /proc/stat") {
  const tests::FileTree tree;
  const tests::FixtureHost fixture(tree.path());
  const auto missing = collectors::kCpu.make(fixture.host)->refresh(at_second(0));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == metrics::Errc::unsupported);
}
