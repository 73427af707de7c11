#include <catch2/catch.hpp>

#include "collectors/catalog.hpp"
#include "tests/support/fixture_host.hpp"

using tests::at_second;

TEST_CASE("uname shows the names of the system as labels") {
  const tests::FileTree tree;
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kUname.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK(tests::samples_of(*collector) ==
        "node_uname_info{domainname=\"(none)\",machine=\"x86_64\",nodename=\"fixture\","
        "release=\"6.1.0-0\",sysname=\"Linux\",version=\"#1 SMP\"} 1\n");
  CHECK_THAT(tests::page_of(*collector), Catch::Contains("# TYPE node_uname_info gauge\n"));
}

TEST_CASE("uname shows a name that changed") {
  const tests::FileTree tree;
  const tests::FixtureHost fixture(tree.path());
  auto host = fixture.host;
  static const char* node_name = nullptr;
  host.system.names = [] {
    return procfs::System::Names{"Linux", node_name, "6.1.0-0", "#1 SMP", "x86_64", "example.org"};
  };
  const auto collector = collectors::kUname.make(host);
  node_name = "before";
  REQUIRE(collector->refresh(at_second(0)));
  node_name = "after \"quotes\"";
  REQUIRE(collector->refresh(at_second(1)));
  CHECK_THAT(tests::samples_of(*collector),
             Catch::Contains("domainname=\"example.org\"") &&
                 Catch::Contains("nodename=\"after \\\"quotes\\\"\""));
}
