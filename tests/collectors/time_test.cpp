#include <catch2/catch.hpp>

#include "collectors/catalog.hpp"
#include "tests/support/fixture_host.hpp"

using tests::at_second;

namespace {

constexpr const char* kClock =
    "node_time_seconds 1700000000.25\n"
    "node_time_zone_offset_seconds{time_zone=\"CET\"} 3600\n";
constexpr const char* kAvailable =
    "sys/devices/system/clocksource/clocksource0/available_clocksource";
constexpr const char* kCurrent = "sys/devices/system/clocksource/clocksource0/current_clocksource";

}  // namespace

TEST_CASE("time shows the clock and what the kernel keeps time with") {
  tests::FileTree tree;
  tree.write(kAvailable, "tsc kvm-clock acpi_pm \n").write(kCurrent, "tsc\n");
  tree.write("sys/devices/system/clocksource/uevent", "");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kTime.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK(tests::samples_of(*collector) ==
        kClock +
            std::string("node_time_clocksource_available_info{clocksource=\"tsc\",device=\"0\"} 1\n"
                        "node_time_clocksource_available_info{clocksource=\"kvm-clock\","
                        "device=\"0\"} 1\n"
                        "node_time_clocksource_available_info{clocksource=\"acpi_pm\","
                        "device=\"0\"} 1\n"
                        "node_time_clocksource_current_info{clocksource=\"tsc\","
                        "device=\"0\"} 1\n"));
  CHECK_THAT(tests::page_of(*collector),
             Catch::Contains("# TYPE node_time_seconds gauge\n") &&
                 Catch::Contains("# TYPE node_time_zone_offset_seconds gauge\n") &&
                 Catch::Contains("# TYPE node_time_clocksource_available_info gauge\n") &&
                 Catch::Contains("# TYPE node_time_clocksource_current_info gauge\n"));
}

TEST_CASE("time follows a clock source that changes") {
  tests::FileTree tree;
  tree.write(kAvailable, "tsc hpet\n").write(kCurrent, "tsc\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kTime.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  // What the kernel does when it finds the time stamp counter unstable.
  tree.write(kAvailable, "hpet acpi_pm\n").write(kCurrent, "hpet\n");
  REQUIRE(collector->refresh(at_second(1)));
  CHECK_THAT(tests::samples_of(*collector),
             Catch::Contains("current_info{clocksource=\"hpet\",device=\"0\"} 1\n") &&
                 Catch::Contains("available_info{clocksource=\"acpi_pm\",device=\"0\"} 1\n") &&
                 !Catch::Contains("tsc"));
}

TEST_CASE("time works where sysfs tells of no clock source, and finds one that comes") {
  tests::FileTree tree;
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kTime.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK(tests::samples_of(*collector) == kClock);
  tree.write(kAvailable, "tsc\n");
  REQUIRE(collector->refresh(at_second(1)));
  CHECK(tests::samples_of(*collector) == kClock);
  tree.write(kCurrent, "tsc\n");
  REQUIRE(collector->refresh(at_second(2)));
  CHECK_THAT(tests::samples_of(*collector), Catch::Contains("current_info{clocksource=\"tsc\""));
}

TEST_CASE("time fails on a clock source without a name, and recovers") {
  tests::FileTree tree;
  const auto [available, current] = GENERATE(table<const char*, const char*>(
      {{"", "tsc\n"}, {"tsc\n", ""}, {"tsc\n", "\n"}, {" \n", "tsc\n"}}));
  tree.write(kAvailable, available).write(kCurrent, current);
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kTime.make(fixture.host);
  const auto malformed = collector->refresh(at_second(0));
  REQUIRE_FALSE(malformed);
  CHECK(malformed.error().code == metrics::Errc::malformed);
  CHECK_THAT(malformed.error().detail, Catch::Contains("clocksource0/"));
  tree.write(kAvailable, "tsc\n").write(kCurrent, "tsc\n");
  CHECK(collector->refresh(at_second(1)));
}
