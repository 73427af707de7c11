#include "procfs/system.hpp"

#include <catch2/catch.hpp>

TEST_CASE("this machine's suspended time is not negative and stands still while we run") {
  using namespace std::chrono_literals;
  const auto system = procfs::this_system();
  const auto first = system.suspended();
  CHECK(first >= 0ns);
  for (int i = 0; i < 1000; ++i) CHECK(system.suspended() - first < 100ms);
}
