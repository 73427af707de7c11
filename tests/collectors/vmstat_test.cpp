#include <catch2/catch.hpp>
#include <string>

#include "collectors/catalog.hpp"
#include "tests/support/fixture_host.hpp"

using tests::at_second;

TEST_CASE("vmstat shows the fields node_exporter shows, untyped") {
  tests::FileTree tree;
  tree.write("proc/vmstat",
             "nr_free_pages 1182984\n"
             "pgpgin 1434057\n"
             "pgpgout 799660\n"
             "pswpin 1\n"
             "pswpout 2\n"
             "pgalloc_normal 1939656\n"
             "pgfault 1787501\n"
             "pgmajfault 1061\n"
             "numa_hint_faults 7\n"
             "oom_kill 3\n"
             "thp_fault_alloc 9\n"
             "zswpin 8\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kVmstat.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK(tests::samples_of(*collector) ==
        "node_vmstat_pgpgin 1434057\n"
        "node_vmstat_pgpgout 799660\n"
        "node_vmstat_pswpin 1\n"
        "node_vmstat_pswpout 2\n"
        "node_vmstat_pgfault 1787501\n"
        "node_vmstat_pgmajfault 1061\n"
        "node_vmstat_oom_kill 3\n");
  CHECK_THAT(tests::page_of(*collector),
             Catch::StartsWith("# HELP node_vmstat_pgpgin pgpgin of /proc/vmstat.\n"
                               "# TYPE node_vmstat_pgpgin untyped\n"));
}

TEST_CASE("vmstat follows a list of fields that changes") {
  tests::FileTree tree;
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kVmstat.make(fixture.host);
  const auto samples_after = [&](int second, const char* text) {
    tree.write("proc/vmstat", text);
    REQUIRE(collector->refresh(at_second(second)));
    return tests::samples_of(*collector);
  };
  CHECK(samples_after(0, "pgpgin 1\npgfault 2\n") ==
        "node_vmstat_pgpgin 1\n"
        "node_vmstat_pgfault 2\n");
  CHECK(samples_after(1, "pgpgin 3\npgfault 4\n") ==
        "node_vmstat_pgpgin 3\n"
        "node_vmstat_pgfault 4\n");
  CHECK(samples_after(2, "other 9\npgfault 5\n") == "node_vmstat_pgfault 5\n");
  CHECK(samples_after(3, "oom_kill 6\npgfault 7\n") ==
        "node_vmstat_oom_kill 6\n"
        "node_vmstat_pgfault 7\n");
  CHECK(samples_after(4, "pgalloc_normal 1\n").empty());
}

TEST_CASE("vmstat leaves out a field whose name no metric can have") {
  tests::FileTree tree;
  tree.write("proc/vmstat", "pgpg{x=\"1\"} 1\npgpg\xFF 2\npgpg-in 3\npgpg:in 4\npgpgin 5\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kVmstat.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK(tests::samples_of(*collector) == "node_vmstat_pgpgin 5\n");
}

TEST_CASE("vmstat fails on a file that is not /proc/vmstat") {
  tests::FileTree tree;
  tree.write("proc/vmstat", "pgpgin\n");
  const tests::FixtureHost fixture(tree.path());
  const auto malformed = collectors::kVmstat.make(fixture.host)->refresh(at_second(0));
  REQUIRE_FALSE(malformed);
  CHECK(malformed.error().code == metrics::Errc::malformed);
}

TEST_CASE("vmstat is unsupported where there is no /proc/vmstat") {
  const tests::FileTree tree;
  const tests::FixtureHost fixture(tree.path());
  const auto missing = collectors::kVmstat.make(fixture.host)->refresh(at_second(0));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == metrics::Errc::unsupported);
}
