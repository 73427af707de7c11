#include <catch2/catch.hpp>
#include <string>

#include "collectors/catalog.hpp"
#include "tests/support/fixture_host.hpp"

using tests::at_second;

TEST_CASE("loadavg shows the three averages as gauges") {
  tests::FileTree tree;
  tree.write("proc/loadavg", "0.46 1.15 0.05 2/89 4981\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kLoadavg.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK(tests::page_of(*collector) ==
        "# HELP node_load1 Load average over one minute, from /proc/loadavg.\n"
        "# TYPE node_load1 gauge\n"
        "node_load1 0.46\n"
        "# HELP node_load5 Load average over five minutes, from /proc/loadavg.\n"
        "# TYPE node_load5 gauge\n"
        "node_load5 1.15\n"
        "# HELP node_load15 Load average over fifteen minutes, from /proc/loadavg.\n"
        "# TYPE node_load15 gauge\n"
        "node_load15 0.05\n");
}

TEST_CASE("loadavg reads the file anew at each refresh") {
  tests::FileTree tree;
  tree.write("proc/loadavg", "0.46 1.15 0.05 2/89 4981\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kLoadavg.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  tree.write("proc/loadavg", "7.00 1.50 0.10 2/89 4981\n");
  REQUIRE(collector->refresh(at_second(1)));
  CHECK(tests::samples_of(*collector) == "node_load1 7\nnode_load5 1.5\nnode_load15 0.1\n");
}

TEST_CASE("loadavg fails on a file that is not /proc/loadavg") {
  tests::FileTree tree;
  tree.write("proc/loadavg", "0.46 1.15\n");
  const tests::FixtureHost fixture(tree.path());
  const auto malformed = collectors::kLoadavg.make(fixture.host)->refresh(at_second(0));
  REQUIRE_FALSE(malformed);
  CHECK(malformed.error().code == metrics::Errc::malformed);
}

TEST_CASE("loadavg is unsupported where there is no /proc/loadavg") {
  const tests::FileTree tree;
  const tests::FixtureHost fixture(tree.path());
  const auto missing = collectors::kLoadavg.make(fixture.host)->refresh(at_second(0));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == metrics::Errc::unsupported);
}
