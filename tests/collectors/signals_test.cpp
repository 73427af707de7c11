// The rows of the table: what each is computed from, and how it is shown.
#include <catch2/catch.hpp>

#include "tests/support/signals_host.hpp"

using tests::at_second;
using tests::pressure_text;
using tests::SignalsHost;

namespace {

std::string meminfo_text(unsigned available) {
  return "MemTotal: 1000 kB\nMemFree: 10 kB\nMemAvailable: " + std::to_string(available) +
         " kB\nDirty: 3 kB\nWriteback: 2 kB\n";
}

constexpr const char* kVmstatBefore = "pgmajfault 10\npswpin 20\npswpout 30\noom_kill 4\n";
constexpr const char* kVmstatAfter = "pgmajfault 14\npswpin 26\npswpout 38\noom_kill 5\n";

/// Two ticks, two seconds apart and told to be one of two seconds' interval, with every file.
SignalsHost& two_ticks(SignalsHost& host) {
  host.host().sample_interval = std::chrono::seconds(2);
  host.stat = {.busy = 1000,
               .idle = 1000,
               .iowait = 100,
               .steal = 50,
               .context_switches = 500,
               .forks = 70,
               .cpus = {{0, 500, 500}, {1, 500, 500}}};
  host.write();
  host.tree()
      .write("proc/meminfo", meminfo_text(900))
      .write("proc/vmstat", kVmstatBefore)
      .write("proc/pressure/cpu", pressure_text(100, 0))
      .write("proc/pressure/memory", pressure_text(200, 20))
      .write("proc/pressure/io", pressure_text(300, 30));
  host.tick(0);
  // 400 ticks: 40 busy (of which none is steal's), 280 idle, 20 iowait, 60 steal
  host.stat = {.busy = 1040,
               .idle = 1280,
               .iowait = 120,
               .steal = 110,
               .context_switches = 1500,
               .forks = 77,
               .running = 5,
               .blocked = 2,
               .cpus = {{0, 690, 510}, {1, 550, 650}}};
  host.write();
  host.tree()
      .write("proc/meminfo", meminfo_text(250))
      .write("proc/vmstat", kVmstatAfter)
      .write("proc/pressure/cpu", pressure_text(500'100, 0))
      .write("proc/pressure/memory", pressure_text(1'000'200, 200'020))
      .write("proc/pressure/io", pressure_text(9'000'300, 2'000'030));
  host.tick(2);
  return host;
}

}  // namespace

TEST_CASE("each row of the table computes its number") {
  const auto [series, expected] = GENERATE(table<const char*, const char*>({
      {"host_cpu_busy_ratio_peak", "0.25"},
      {"host_cpu_busiest_ratio_peak", "0.95"},
      {"host_cpu_iowait_ratio_peak", "0.05"},
      {"host_cpu_steal_ratio_peak", "0.15"},
      {"host_tasks_runnable_peak", "5"},
      {"host_tasks_blocked_peak", "2"},
      {"host_context_switches_per_second_peak", "500"},
      {"host_forks_per_second_peak", "3.5"},
      {"host_memory_used_ratio_peak", "0.75"},
      {"host_memory_available_bytes_lowest", "256000"},
      {"host_memory_dirty_bytes_peak", "5120"},
      {"host_major_faults_per_second_peak", "2"},
      {"host_swap_in_pages_per_second_peak", "3"},
      {"host_swap_out_pages_per_second_peak", "4"},
      {R"(host_pressure_ratio_peak{resource="cpu",kind="some"})", "0.25"},
      {R"(host_pressure_ratio_peak{resource="cpu",kind="full"})", "0"},
      {R"(host_pressure_ratio_peak{resource="memory",kind="some"})", "0.5"},
      {R"(host_pressure_ratio_peak{resource="memory",kind="full"})", "0.1"},
      {R"(host_pressure_ratio_peak{resource="io",kind="some"})", "1"},  // clamped
      {R"(host_pressure_ratio_peak{resource="io",kind="full"})", "1"},
      {"host_oom_kills_total", "5"},
      {"host_seconds_sampled_total", "2"},
      {"host_seconds_missed_total", "0"},
      {R"(host_signal_read_failures_total{file="stat"})", "0"},
      {R"(host_signal_read_failures_total{file="net/dev"})", "0"},
      {R"(host_signal_devices_left_out{kind="disk"})", "0"},
      // 0.25 is in the bucket of 0.3, and 1.0 in that of 1.0.
      {R"(host_cpu_busy_ratio_bucket{le="0.2"})", "0"},
      {R"(host_cpu_busy_ratio_bucket{le="0.3"})", "1"},
      {"host_cpu_busy_ratio_sum", "0.25"},
      {"host_cpu_busy_ratio_count", "1"},
      {R"(host_cpu_busiest_ratio_bucket{le="0.9"})", "0"},
      {R"(host_cpu_busiest_ratio_bucket{le="0.95"})", "1"},
      {R"(host_cpu_iowait_ratio_bucket{le="0.02"})", "0"},
      {R"(host_cpu_iowait_ratio_bucket{le="0.05"})", "1"},
      {R"(host_tasks_runnable_bucket{le="4.0"})", "0"},
      {R"(host_tasks_runnable_bucket{le="8.0"})", "1"},
      {R"(host_tasks_blocked_bucket{le="2.0"})", "1"},
      {R"(host_memory_used_ratio_bucket{le="0.7"})", "0"},
      {R"(host_memory_used_ratio_bucket{le="0.8"})", "1"},
      {R"(host_pressure_ratio_bucket{resource="io",kind="some",le="0.99"})", "0"},
      {R"(host_pressure_ratio_bucket{resource="io",kind="some",le="1.0"})", "1"},
      {R"(host_pressure_ratio_bucket{resource="cpu",kind="full",le="0.01"})", "1"},
      // Forms that a row does not have.
      {"host_forks_per_second_count", "absent"},
      {"host_memory_available_bytes_peak", "absent"},
      {"host_memory_used_ratio_lowest", "absent"},
  }));
  INFO(series);
  SignalsHost host;
  CHECK(two_ticks(host).value(series, 2) == expected);
}

TEST_CASE("the time of an extreme is on the wall clock of the scrape") {
  SignalsHost host;
  two_ticks(host);
  // The fixture's wall clock stands at 1700000000.25, so a later scrape puts the same tick earlier.
  CHECK(host.value("host_cpu_busy_ratio_peak_timestamp_seconds", 2) == "1700000000.3");
  CHECK(host.value("host_memory_available_bytes_lowest_timestamp_seconds", 12) == "1699999990.3");
}

TEST_CASE("HELP names the kernel source, and types are as the forms say") {
  SignalsHost host;
  two_ticks(host);
  REQUIRE(host.collector().refresh(at_second(2)));
  const auto page = tests::page_of(host.collector());
  for (const auto* line :
       {"# TYPE host_cpu_busy_ratio histogram\n", "# TYPE host_cpu_busy_ratio_peak gauge\n",
        "# TYPE host_cpu_busy_ratio_peak_timestamp_seconds gauge\n",
        "# TYPE host_memory_available_bytes_lowest gauge\n",
        "# TYPE host_pressure_ratio histogram\n", "# TYPE host_oom_kills_total counter\n",
        "# TYPE host_signal_read_failures_total counter\n",
        "# TYPE host_signal_devices_left_out gauge\n",
        "# HELP host_cpu_busy_ratio Busy share of all CPUs, from /proc/stat.\n"}) {
    CHECK_THAT(page, Catch::Contains(line));
  }
  for (std::size_t at = page.find("# HELP"); at != std::string::npos;
       at = page.find("# HELP", at + 1)) {
    const auto line = page.substr(at, page.find('\n', at) - at);
    INFO(line);
    CHECK((line.find("/proc") != std::string::npos || line.find("host_seconds_") == 7));
  }
}

TEST_CASE("before the first sample histograms are at zero and extremes are absent") {
  SignalsHost host;
  host.tree()
      .write("proc/meminfo", meminfo_text(900))
      .write("proc/pressure/io", pressure_text(1, 1));
  const bool has_ticked = GENERATE(false, true);
  if (has_ticked) host.tick(0);
  const auto samples = host.samples(0.5);
  CHECK(SignalsHost::value_in(samples, "host_cpu_busy_ratio_count") == "0");
  CHECK(SignalsHost::value_in(samples, R"(host_cpu_busy_ratio_bucket{le="0.05"})") == "0");
  CHECK(SignalsHost::value_in(samples, "host_memory_used_ratio_count") == "0");
  CHECK(SignalsHost::value_in(samples, R"(host_pressure_ratio_count{resource="io",kind="full"})") ==
        "0");
  CHECK(SignalsHost::value_in(samples, "host_seconds_sampled_total") == "0");
  CHECK(SignalsHost::value_in(samples, "host_seconds_missed_total") == "0");
  CHECK_THAT(samples, !Catch::Contains("_peak") && !Catch::Contains("_lowest"));
}

TEST_CASE("a value of exactly 1 is in the bucket of 1.0, not in that of 0.99 or +Inf") {
  SignalsHost host;
  host.tick(0);
  host.spend(100, 0);
  host.tick(1);
  const auto samples = host.samples(1);
  CHECK(SignalsHost::value_in(samples, R"(host_cpu_busy_ratio_bucket{le="0.99"})") == "0");
  CHECK(SignalsHost::value_in(samples, R"(host_cpu_busy_ratio_bucket{le="1.0"})") == "1");
  CHECK(SignalsHost::value_in(samples, "host_cpu_busy_ratio_peak") == "1");
}

TEST_CASE("a counter that went back gives no sample for its signal, and never a peak") {
  SignalsHost host;
  host.stat.context_switches = 1'000'000;
  host.stat.forks = 100;
  host.write();
  host.tree().write("proc/vmstat", "pgmajfault 10\npswpin 500\npswpout 0\n");
  host.tick(0);
  host.stat.context_switches = 5;
  host.stat.forks = 103;
  host.spend(10, 90);
  host.tree().write("proc/vmstat", "pgmajfault 12\npswpin 3\npswpout 0\n");
  host.tick(1);
  const auto samples = host.samples(1);
  CHECK(SignalsHost::value_in(samples, "host_context_switches_per_second_peak") == "absent");
  CHECK(SignalsHost::value_in(samples, "host_swap_in_pages_per_second_peak") == "absent");
  CHECK(SignalsHost::value_in(samples, "host_forks_per_second_peak") == "3");
  CHECK(SignalsHost::value_in(samples, "host_major_faults_per_second_peak") == "2");
}

TEST_CASE("iowait that steps back counts as still") {
  SignalsHost host;
  host.stat.iowait = 50;
  host.write();
  host.tick(0);
  host.stat.iowait = 45;
  host.spend(25, 75);
  host.tick(1);
  CHECK(host.value("host_cpu_busy_ratio_peak", 1) == "0.25");
  CHECK(host.value("host_cpu_iowait_ratio_peak", 1) == "0");
}

TEST_CASE("the busiest CPU is one of those that ran the whole second") {
  using Cpus = std::vector<tests::StatText::Cpu>;
  const auto [what, before, after,
              expected] = GENERATE(table<const char*, Cpus, Cpus, const char*>({
      {"both there", {{0, 0, 0}, {1, 0, 0}}, {{0, 30, 70}, {1, 60, 40}}, "0.6"},
      {"one came", {{0, 0, 0}}, {{0, 30, 70}, {1, 60, 40}}, "0.3"},
      {"one went", {{0, 0, 0}, {1, 0, 0}}, {{1, 60, 40}}, "0.6"},
      {"one of three went", {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}}, {{0, 30, 70}, {2, 50, 50}}, "0.5"},
      {"one was off and on again", {{0, 0, 0}, {1, 7, 7}}, {{0, 30, 70}, {1, 9, 7}}, "0.3"},
      {"one was set back", {{0, 0, 0}, {1, 900, 900}}, {{0, 30, 70}, {1, 3, 1}}, "0.3"},
      {"one jumped", {{0, 0, 0}, {1, 0, 0}}, {{0, 30, 70}, {1, 900, 0}}, "0.3"},
      {"none is left", {{0, 0, 0}}, {{1, 50, 50}}, "absent"},
  }));
  INFO(what);
  SignalsHost host;
  host.stat.cpus = before;
  host.write();
  host.tick(0);
  host.stat.cpus = after;
  host.spend(10, 90);
  host.tick(1);
  CHECK(host.value("host_cpu_busiest_ratio_peak", 1) == expected);
}
