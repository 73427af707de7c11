#include <catch2/catch.hpp>
#include <string>

#include "collectors/catalog.hpp"
#include "tests/support/fixture_host.hpp"

using tests::at_second;

TEST_CASE("filefd shows the open files and their limit as gauges") {
  tests::FileTree tree;
  tree.write("proc/sys/fs/file-nr", "484\t0\t2466193\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kFilefd.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK(tests::samples_of(*collector) ==
        "node_filefd_allocated 484\n"
        "node_filefd_maximum 2466193\n");
  CHECK_THAT(tests::page_of(*collector), Catch::Contains("# TYPE node_filefd_allocated gauge\n") &&
                                             Catch::Contains("# TYPE node_filefd_maximum gauge\n"));
}

TEST_CASE("filefd shows a host without limit as the kernel does, by the largest number") {
  tests::FileTree tree;
  tree.write("proc/sys/fs/file-nr", "484\t0\t9223372036854775807\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kFilefd.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK_THAT(tests::samples_of(*collector),
             Catch::Contains("node_filefd_maximum 9223372036854775808\n"));
}

TEST_CASE("filefd fails on a file that is not file-nr") {
  tests::FileTree tree;
  tree.write("proc/sys/fs/file-nr", "484\n");
  const tests::FixtureHost fixture(tree.path());
  const auto malformed = collectors::kFilefd.make(fixture.host)->refresh(at_second(0));
  REQUIRE_FALSE(malformed);
  CHECK(malformed.error().code == metrics::Errc::malformed);
}

TEST_CASE("filefd is unsupported where there is no file-nr") {
  const tests::FileTree tree;
  const tests::FixtureHost fixture(tree.path());
  const auto missing = collectors::kFilefd.make(fixture.host)->refresh(at_second(0));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == metrics::Errc::unsupported);
}
