#include <catch2/catch.hpp>

#include "bpf/process_watch.hpp"

TEST_CASE("Without BPF in the build, open says so") {
  const auto watch = bpf::ProcessWatch::open({});
  REQUIRE_FALSE(watch);
  CHECK(watch.error().code == metrics::Errc::unsupported);
  CHECK(watch.error().detail == "built without BPF");
}
