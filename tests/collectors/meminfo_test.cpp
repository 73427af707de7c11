#include <catch2/catch.hpp>
#include <string>

#include "collectors/catalog.hpp"
#include "tests/support/fixture_host.hpp"

using tests::at_second;

namespace {

/// The samples that /proc/meminfo with this text gives.
std::string samples_for(const std::string& text) {
  tests::FileTree tree;
  tree.write("proc/meminfo", text);
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kMeminfo.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  return tests::samples_of(*collector);
}

}  // namespace

TEST_CASE("meminfo shows every field, amounts in bytes") {
  CHECK(samples_for("MemTotal:       24684096 kB\n"
                    "Active(anon):       1544 kB\n"
                    "Committed_AS:      61928 kB\n"
                    "VmallocTotal:   34359738367 kB\n"
                    "HugePages_Total:       3\n"
                    "DirectMap4k:       28672 kB\n") ==
        "node_memory_MemTotal_bytes 25276514304\n"
        "node_memory_Active_anon_bytes 1581056\n"
        "node_memory_Committed_AS_bytes 63414272\n"
        "node_memory_VmallocTotal_bytes 35184372087808\n"
        "node_memory_HugePages_Total 3\n"
        "node_memory_DirectMap4k_bytes 29360128\n");
}

TEST_CASE("meminfo names the field in HELP and is all gauges") {
  tests::FileTree tree;
  tree.write("proc/meminfo", "Active(anon): 1 kB\nHugePages_Total: 3\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kMeminfo.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK(tests::page_of(*collector) ==
        "# HELP node_memory_Active_anon_bytes Active(anon) of /proc/meminfo, in bytes.\n"
        "# TYPE node_memory_Active_anon_bytes gauge\n"
        "node_memory_Active_anon_bytes 1024\n"
        "# HELP node_memory_HugePages_Total HugePages_Total of /proc/meminfo.\n"
        "# TYPE node_memory_HugePages_Total gauge\n"
        "node_memory_HugePages_Total 3\n");
}

TEST_CASE("meminfo leaves out a field whose name no metric can have") {
  const std::string odd = GENERATE("Mem-Free", "Mem:Free", "Mem{x=\"1\"}", "M\xC3\xA9m", "\xFF",
                                   "Mem\\Free", "Mem.Free");
  CHECK(samples_for("MemTotal: 1 kB\n" + odd + ": 2 kB\nMemFree: 3 kB\n") ==
        "node_memory_MemTotal_bytes 1024\nnode_memory_MemFree_bytes 3072\n");
}

TEST_CASE("meminfo gives a name that two fields lead to to the first") {
  tests::FileTree tree;
  tree.write("proc/meminfo",
             "Active(anon): 1 kB\n"
             "Active_anon: 2 kB\n"
             "Active(anon): 3 kB\n"
             "Active_anon_bytes: 4\n"
             "Active_anon: 5\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kMeminfo.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK(tests::samples_of(*collector) ==
        "node_memory_Active_anon_bytes 1024\nnode_memory_Active_anon 5\n");

  metrics::TextEncoder encoder(metrics::TextFormat::prometheus_0_0_4);
  collector->emit(encoder);
  CHECK(encoder.refused().empty());  // it is not left to the page to sort that out
}

TEST_CASE("meminfo follows a list of fields that changes") {
  tests::FileTree tree;
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kMeminfo.make(fixture.host);
  const auto samples_after = [&](int second, const char* text) {
    tree.write("proc/meminfo", text);
    REQUIRE(collector->refresh(at_second(second)));
    return tests::samples_of(*collector);
  };
  CHECK(samples_after(0, "A: 1 kB\nB: 2 kB\n") ==
        "node_memory_A_bytes 1024\n"
        "node_memory_B_bytes 2048\n");
  CHECK(samples_after(1, "A: 3 kB\nB: 4 kB\n") ==
        "node_memory_A_bytes 3072\n"
        "node_memory_B_bytes 4096\n");
  CHECK(samples_after(2, "B: 5 kB\n") == "node_memory_B_bytes 5120\n");
  CHECK(samples_after(3, "B: 5\n") == "node_memory_B 5\n");
  CHECK(samples_after(4, "B: 5\nC: 6\n") == "node_memory_B 5\nnode_memory_C 6\n");
}

TEST_CASE("meminfo fails on a file that is not /proc/meminfo") {
  tests::FileTree tree;
  tree.write("proc/meminfo", "MemTotal\n");
  const tests::FixtureHost fixture(tree.path());
  const auto malformed = collectors::kMeminfo.make(fixture.host)->refresh(at_second(0));
  REQUIRE_FALSE(malformed);
  CHECK(malformed.error().code == metrics::Errc::malformed);
}

TEST_CASE("meminfo is unsupported where there is no /proc/meminfo") {
  const tests::FileTree tree;
  const tests::FixtureHost fixture(tree.path());
  const auto missing = collectors::kMeminfo.make(fixture.host)->refresh(at_second(0));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == metrics::Errc::unsupported);
}
