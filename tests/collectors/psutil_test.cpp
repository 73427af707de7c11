#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "collectors/catalog.hpp"
#include "tests/support/fixture_host.hpp"

using namespace std::chrono_literals;
using tests::at_second;

namespace {

std::string memory_text(std::uint64_t total, std::uint64_t free, std::uint64_t available) {
  return "MemTotal: " + std::to_string(total) + " kB\nMemFree: " + std::to_string(free) +
         " kB\nMemAvailable: " + std::to_string(available) + " kB\n";
}

/// A host whose CPU spends what the test says, sampled every second, with a window of 10 s.
class PsutilHost {
 public:
  PsutilHost() {
    tree_.write("proc/meminfo", memory_text(1000, 200, 400));
    spend(1000, 1000);
    fixture_.host.window = 10s;
    fixture_.host.sample_interval = 1s;
  }

  [[nodiscard]] std::unique_ptr<collectors::Collector> make() const {
    return collectors::kPsutil.make(fixture_.host);
  }
  collectors::Host& host() { return fixture_.host; }
  tests::FileTree& tree() { return tree_; }

  /// Adds so many ticks to the CPU's time.
  void spend(unsigned busy, unsigned idle) {
    busy_ += busy;
    idle_ += idle;
    tree_.write("proc/stat", "cpu " + std::to_string(busy_) + " 0 0 " + std::to_string(idle_) +
                                 " 0 0 0 0 0 0\nintr 1\nctxt 1\nbtime 1\nprocesses 1\n"
                                 "procs_running 1\nprocs_blocked 0\n");
  }

 private:
  tests::FileTree tree_;
  tests::FixtureHost fixture_{tree_.path()};
  unsigned busy_ = 0;
  unsigned idle_ = 0;
};

/// The collector's cpu_percent line at `second`, "" when it is absent.
std::string cpu_percent_at(collectors::Collector& collector, double second) {
  REQUIRE(collector.refresh(at_second(second)));
  const auto samples = tests::samples_of(collector);
  return samples.starts_with("cpu_percent") ? samples.substr(0, samples.find('\n')) : "";
}

}  // namespace

TEST_CASE("psutil shows its three gauges") {
  PsutilHost host;
  const auto collector = host.make();
  collector->tick(at_second(0));
  host.spend(30, 70);
  REQUIRE(collector->refresh(at_second(1)));
  CHECK(tests::samples_of(*collector) ==
        "cpu_percent 30\n"
        "virtual_memory_free 204800\n"
        "virtual_memory_percent 60\n");
  CHECK_THAT(tests::page_of(*collector), Catch::Contains("# TYPE cpu_percent gauge\n") &&
                                             Catch::Contains("/proc/stat") &&
                                             Catch::Contains("/proc/meminfo"));
}

TEST_CASE("psutil rounds percentages as Python does") {
  const auto [used, total, expected] = GENERATE(table<unsigned, unsigned, const char*>({
      {1, 400, "0.2"},    // 0.25: a tie goes to the even digit
      {12, 1600, "0.8"},  // 0.75: here the even digit is above
      {7, 2000, "0.4"},   // 0.35000000000000003
      {9, 2000, "0.4"},   // 0.44999999999999996
      {3, 2000, "0.1"},   // 0.15 is a little less
      {1, 2000, "0.1"},   // 0.05 is a little more
      {4, 8000, "0.1"},   // the same value another way
      {1, 3, "33.3"},
      {2, 3, "66.7"},
      {9995, 10000, "100"},  // 99.95 is a little more
      {99949, 100000, "99.9"},
      {0, 1000, "0"},
      {1000, 1000, "100"},
  }));
  PsutilHost host;
  host.tree().write("proc/meminfo", memory_text(total, 0, total - used));
  const auto collector = host.make();
  REQUIRE(collector->refresh(at_second(0)));
  CHECK(tests::samples_of(*collector) ==
        "virtual_memory_free 0\nvirtual_memory_percent " + std::string(expected) + "\n");
}

TEST_CASE("psutil's memory percentage is absent where the kernel does not say what is available") {
  PsutilHost host;
  const auto text = GENERATE(as<std::string>{}, "MemTotal: 1000 kB\nMemFree: 200 kB\n",
                             "MemTotal: 0 kB\nMemFree: 200 kB\nMemAvailable: 0 kB\n",
                             "MemTotal: 100 kB\nMemFree: 200 kB\nMemAvailable: 300 kB\n");
  host.tree().write("proc/meminfo", text);
  const auto collector = host.make();
  REQUIRE(collector->refresh(at_second(0)));
  CHECK(tests::samples_of(*collector) == "virtual_memory_free 204800\n");
}

TEST_CASE("psutil takes free memory for available where more is available than there is") {
  PsutilHost host;
  host.tree().write("proc/meminfo", memory_text(1000, 250, 24000));
  const auto collector = host.make();
  REQUIRE(collector->refresh(at_second(0)));
  CHECK_THAT(tests::samples_of(*collector), Catch::EndsWith("virtual_memory_percent 75\n"));
}

TEST_CASE("cpu_percent is absent until time has passed between two readings") {
  PsutilHost host;
  const auto collector = host.make();
  CHECK(cpu_percent_at(*collector, 0).empty());  // no tick yet
  host.spend(1, 1);
  CHECK(cpu_percent_at(*collector, 1).empty());  // a refresh is not a tick
  collector->tick(at_second(1));
  CHECK(cpu_percent_at(*collector, 1).empty());  // the same reading
  CHECK(cpu_percent_at(*collector, 2).empty());  // another reading, no time spent
  host.spend(1, 0);
  CHECK(cpu_percent_at(*collector, 3) == "cpu_percent 100");
}

TEST_CASE("cpu_percent is averaged since the start, then over the window") {
  PsutilHost host;
  const auto collector = host.make();
  collector->tick(at_second(0));
  for (int second = 1; second <= 30; ++second) {  // busy, idle and busy for 10 s each
    second > 10 && second <= 20 ? host.spend(0, 100) : host.spend(100, 0);
    collector->tick(at_second(second));
    INFO("second " << second);
    if (second == 5) CHECK(cpu_percent_at(*collector, second) == "cpu_percent 100");
    if (second == 10) CHECK(cpu_percent_at(*collector, second) == "cpu_percent 100");
    if (second == 11) CHECK(cpu_percent_at(*collector, second) == "cpu_percent 90");
    if (second == 20) CHECK(cpu_percent_at(*collector, second) == "cpu_percent 0");
    if (second == 23) CHECK(cpu_percent_at(*collector, second) == "cpu_percent 30");
  }
}

TEST_CASE("cpu_percent between two ticks covers the whole window and less than a tick more") {
  PsutilHost host;
  const auto collector = host.make();
  for (int second = 0; second <= 20; ++second) {
    collector->tick(at_second(second));
    second == 10 ? host.spend(100, 0) : host.spend(0, 100);
  }
  CHECK(cpu_percent_at(*collector, 20.5) == "cpu_percent 9.1");  // since 10: 1 of 11 s
  collector->tick(at_second(21));
  CHECK(cpu_percent_at(*collector, 21) == "cpu_percent 0");  // since 11
}

TEST_CASE("cpu_percent is the same however often it is asked for") {
  PsutilHost host;
  const auto often = host.make();
  const auto once = host.make();
  for (int second = 0; second <= 15; ++second) {
    often->tick(at_second(second));
    once->tick(at_second(second));
    for (const double later : {0.0, 0.3, 0.6}) (void)cpu_percent_at(*often, second + later);
    host.spend(static_cast<unsigned>(second), 20);
  }
  const auto expected = cpu_percent_at(*once, 16);
  CHECK(expected.starts_with("cpu_percent "));
  CHECK(cpu_percent_at(*often, 16) == expected);
}

TEST_CASE("cpu_percent goes on from the last tick after a pause longer than the window") {
  PsutilHost host;
  const auto collector = host.make();
  for (int second = 0; second <= 5; ++second) {
    host.spend(100, 0);
    collector->tick(at_second(second));
  }
  host.spend(20, 80);
  collector->tick(at_second(100));
  CHECK(cpu_percent_at(*collector, 100) == "cpu_percent 20");  // since 5, not since 0
  host.spend(0, 100);
  CHECK(cpu_percent_at(*collector, 109) == "cpu_percent 10");
  CHECK(cpu_percent_at(*collector, 110) == "cpu_percent 0");  // since 100
}

TEST_CASE("cpu_percent covers a window that is no multiple of the interval") {
  PsutilHost host;
  host.host().sample_interval = 3s;
  const auto collector = host.make();
  for (int second = 0; second <= 12; second += 3) {
    collector->tick(at_second(second));
    second == 0 ? host.spend(100, 0) : host.spend(0, 100);
  }
  CHECK(cpu_percent_at(*collector, 12) == "cpu_percent 25");  // the tick at 0 still counts
  CHECK(cpu_percent_at(*collector, 13) == "cpu_percent 0");   // 3 is 10 s ago
}

TEST_CASE("cpu_percent keeps no more readings than its window has intervals") {
  PsutilHost host;
  const auto collector = host.make();
  for (int tick = 0; tick <= 15; ++tick) {  // ten times too often: 11 of them are kept
    collector->tick(at_second(tick / 10.0));
    tick < 10 ? host.spend(100, 0) : host.spend(0, 100);
  }
  CHECK(cpu_percent_at(*collector, 2) == "cpu_percent 45.5");  // since tick 5: 5 of 11
}

TEST_CASE("cpu_percent does without the ticks that failed") {
  PsutilHost host;
  const auto collector = host.make();
  collector->tick(at_second(0));
  host.tree().write("proc/stat", "cpu what?\n");
  collector->tick(at_second(1));
  host.spend(25, 75);
  CHECK(cpu_percent_at(*collector, 2) == "cpu_percent 25");
}

TEST_CASE("psutil fails on a malformed file") {
  const auto* file = GENERATE("proc/stat", "proc/meminfo");
  PsutilHost host;
  host.tree().write(file, "lorem ipsum\n");
  const auto malformed = host.make()->refresh(at_second(0));
  REQUIRE_FALSE(malformed);
  CHECK(malformed.error().code == metrics::Errc::malformed);
}

TEST_CASE("psutil is unsupported where a file is missing") {
  const auto* file = GENERATE("proc/stat", "proc/meminfo");
  PsutilHost host;
  host.tree().remove(file);
  const auto missing = host.make()->refresh(at_second(0));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == metrics::Errc::unsupported);
}

TEST_CASE("psutil fails where meminfo lacks what it is asked for") {
  const auto text = GENERATE(as<std::string>{}, "MemTotal: 5 kB\n", "MemFree: 5 kB\n");
  PsutilHost host;
  host.tree().write("proc/meminfo", text);
  const auto missing = host.make()->refresh(at_second(0));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == metrics::Errc::malformed);
}
