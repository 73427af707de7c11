// What becomes of a signal when its file does not play along.
#include <catch2/catch.hpp>

#include "tests/support/signals_host.hpp"

using tests::at_second;
using tests::pressure_text;
using tests::SignalsHost;

namespace {

constexpr const char* kVmstat = "pgmajfault 10\npswpin 20\npswpout 30\noom_kill 4\n";

}  // namespace

TEST_CASE("what the kernel does not have is absent, and no failure") {
  SignalsHost host;  // only /proc/stat
  for (int second = 0; second <= 2; ++second) {
    host.spend(10, 90);
    host.tick(second);
  }
  const auto samples = host.samples(2);
  CHECK_THAT(samples, !Catch::Contains("host_pressure") && !Catch::Contains("host_memory") &&
                          !Catch::Contains("host_major") && !Catch::Contains("host_disk_") &&
                          !Catch::Contains("host_network_") && !Catch::Contains("host_oom"));
  CHECK(SignalsHost::value_in(samples, "host_cpu_busy_ratio_count") == "2");
  CHECK(SignalsHost::value_in(samples, R"(host_signal_read_failures_total{file="vmstat"})") == "0");
}

TEST_CASE("a pressure file without `full`, as that of cpu before Linux 5.13, has no such series") {
  SignalsHost host;
  host.tree().write("proc/pressure/cpu", "some avg10=0 avg60=0 avg300=0 total=1\n");
  host.tick(0);
  host.tick(1);
  const auto samples = host.samples(1);
  CHECK_THAT(samples, Catch::Contains("kind=\"some\"") && !Catch::Contains("kind=\"full\""));
}

TEST_CASE("memory without MemAvailable, or with more of it than there is, has no sample") {
  const auto* text =
      GENERATE("MemTotal: 1000 kB\nMemFree: 10 kB\n", "MemTotal: 1000 kB\nMemAvailable: 1001 kB\n",
               "MemTotal: 0 kB\nMemAvailable: 0 kB\n");
  SignalsHost host;
  host.tree().write("proc/meminfo", text);
  host.tick(0);
  host.tick(1);
  CHECK_THAT(host.samples(1), !Catch::Contains("host_memory_used_ratio_peak"));
}

TEST_CASE("a file that is malformed at a tick costs its own signals that sample, no others") {
  SignalsHost host;
  const auto write = [&](const std::string& vmstat, const std::string& io) {
    host.tree().write("proc/vmstat", vmstat).write("proc/pressure/io", io);
    host.spend(10, 90);
  };
  const auto io_count = R"(host_pressure_ratio_count{resource="io",kind="some"})";
  write(kVmstat, pressure_text(0, 0));
  host.tick(0);
  write(kVmstat, pressure_text(0, 0));
  host.tick(1);
  write("pgmajfault what?\n", "nothing\n");
  host.tick(2);
  auto samples = host.samples(2);
  CHECK(SignalsHost::value_in(samples, "host_cpu_busy_ratio_count") == "2");
  CHECK(SignalsHost::value_in(samples, io_count) == "1");  // still shown
  CHECK(SignalsHost::value_in(samples, "host_oom_kills_total") == "absent");
  CHECK(SignalsHost::value_in(samples, R"(host_signal_read_failures_total{file="vmstat"})") == "1");
  CHECK(SignalsHost::value_in(samples, R"(host_signal_read_failures_total{file="pressure/io"})") ==
        "1");
  CHECK(SignalsHost::value_in(samples, R"(host_signal_read_failures_total{file="stat"})") == "0");
  write("pgmajfault 1000000\npswpin 20\n", pressure_text(900'000, 0));
  host.tick(3);  // only measured from: the time since the last good reading is not a second
  CHECK(host.value(io_count, 3) == "1");
  CHECK(host.value("host_major_faults_per_second_peak", 3) == "0");
  write("pgmajfault 1000007\npswpin 20\n", pressure_text(1'000'000, 0));
  host.tick(4);
  samples = host.samples(4);
  CHECK(SignalsHost::value_in(samples, io_count) == "2");
  CHECK(SignalsHost::value_in(samples, "host_major_faults_per_second_peak") == "7");
  CHECK(SignalsHost::value_in(samples, "host_cpu_busy_ratio_count") == "4");
}

TEST_CASE("the collector fails only where /proc/stat itself cannot be read") {
  const auto [text, code] = GENERATE(table<const char*, metrics::Errc>({
      {"cpu what?\n", metrics::Errc::malformed},
      {nullptr, metrics::Errc::unsupported},
  }));
  SignalsHost host;
  text == nullptr ? host.tree().remove("proc/stat") : (void)host.tree().write("proc/stat", text);
  host.tick(0);
  const auto failed = host.collector().refresh(at_second(1));
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == code);
  host.write();
  host.tick(2);
  CHECK(host.value("host_cpu_busy_ratio_count", 2) == "0");
}
