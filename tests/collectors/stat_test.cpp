#include <catch2/catch.hpp>
#include <string>

#include "collectors/catalog.hpp"
#include "tests/support/fixture_host.hpp"

using tests::at_second;

TEST_CASE("stat shows the totals of the host") {
  tests::FileTree tree;
  tree.write("proc/stat",
             "cpu  300 30 90 4000 60 6 12 18 24 8\n"
             "intr 193130 0 9 0\n"
             "ctxt 355772\n"
             "btime 1690000000\n"
             "processes 5004\n"
             "procs_running 3\n"
             "procs_blocked 1\n"
             "softirq 135094 0\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kStat.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK(tests::samples_of(*collector) ==
        "node_intr_total 193130\n"
        "node_context_switches_total 355772\n"
        "node_forks_total 5004\n"
        "node_boot_time_seconds 1690000000\n"
        "node_procs_running 3\n"
        "node_procs_blocked 1\n");
  const auto page = tests::page_of(*collector);
  for (const auto* type : {"node_intr_total counter", "node_context_switches_total counter",
                           "node_forks_total counter", "node_boot_time_seconds gauge",
                           "node_procs_running gauge", "node_procs_blocked gauge"}) {
    CHECK_THAT(page, Catch::Contains("# TYPE " + std::string(type) + "\n"));
  }
}

TEST_CASE("stat fails on a file that is not /proc/stat") {
  tests::FileTree tree;
  tree.write("proc/stat", "intr 193130\nctxt 355772\n");
  const tests::FixtureHost fixture(tree.path());
  const auto malformed = collectors::kStat.make(fixture.host)->refresh(at_second(0));
  REQUIRE_FALSE(malformed);
  CHECK(malformed.error().code == metrics::Errc::malformed);
}

TEST_CASE("stat is unsupported where there is no /proc/stat") {
  const tests::FileTree tree;
  const tests::FixtureHost fixture(tree.path());
  const auto missing = collectors::kStat.make(fixture.host)->refresh(at_second(0));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == metrics::Errc::unsupported);
}
