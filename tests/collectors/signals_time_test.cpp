// Nothing between two scrapes is lost, and nothing is made up.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "tests/support/signals_host.hpp"

using namespace std::chrono_literals;
using tests::SignalsHost;

namespace {

std::chrono::nanoseconds suspended_time{0};

constexpr const char* kPeak = "host_cpu_busy_ratio_peak";
constexpr const char* kPeakTime = "host_cpu_busy_ratio_peak_timestamp_seconds";
constexpr const char* kCount = "host_cpu_busy_ratio_count";
constexpr const char* kSampled = "host_seconds_sampled_total";
constexpr const char* kMissed = "host_seconds_missed_total";

std::string bucket(const char* edge) {
  return std::string("host_cpu_busy_ratio_bucket{le=\"") + edge + "\"}";
}

/// The scraper's arithmetic: seconds above 90 % up to a scrape.
int seconds_above_90(SignalsHost& host, double second) {
  const auto samples = host.samples(second);
  return std::atoi(SignalsHost::value_in(samples, kCount).c_str()) -
         std::atoi(SignalsHost::value_in(samples, bucket("0.9")).c_str());
}

}  // namespace

TEST_CASE("a burst of one second is in the peak with its time, and in the right bucket") {
  SignalsHost host;
  for (int second = 0; second <= 300; ++second) {
    if (second > 0) second == 123 ? host.spend(97, 3) : host.spend(2, 98);
    host.tick(second);
  }
  const auto samples = host.samples(300);
  CHECK(SignalsHost::value_in(samples, kPeak) == "0.97");
  // The scrape is at 1700000000.25, 177 s after the burst.
  CHECK(SignalsHost::value_in(samples, kPeakTime) == "1699999823.3");
  CHECK(SignalsHost::value_in(samples, bucket("0.95")) == "299");
  CHECK(SignalsHost::value_in(samples, bucket("0.99")) == "300");
  CHECK(SignalsHost::value_in(samples, kCount) == "300");
}

TEST_CASE("three readers at intervals of their own come to the same total") {
  SignalsHost host;
  // Counts as Prometheus does: a value below the last one is what came since a reset.
  struct Reader {
    int total = 0;
    int last = 0;
    void see(int value) {
      total += value >= last ? value - last : value;
      last = value;
    }
  };
  Reader often;
  Reader losing;
  for (int second = 0; second <= 600; ++second) {
    if (second > 0) second % 97 < 3 ? host.spend(95, 5) : host.spend(10, 90);
    host.tick(second);
    if (second % 7 == 5) {  // every 7 s, between two ticks
      often.see(seconds_above_90(host, second + 0.5));
    }
    if (second % 60 == 59 && second != 239) {  // every minute, with one scrape that failed
      losing.see(seconds_above_90(host, second + 0.2));
    }
  }
  const int once = seconds_above_90(host, 601);
  CHECK(once == 20);  // 0 is not a sample, and 600 is past the last burst, at 582 to 584
  often.see(once);
  losing.see(once);
  CHECK(often.total == once);
  CHECK(losing.total == once);
}

TEST_CASE("the sum of the busy histogram is the busy share of the whole span") {
  SignalsHost host;
  host.stat.busy = 123456;
  host.spend(0, 0);
  host.tick(0);
  unsigned random = 7;
  unsigned busy = 0;
  for (int second = 1; second <= 1000; ++second) {
    random = random * 1664525U + 1013904223U;
    const unsigned ticks = (random >> 16U) % 101;
    busy += ticks;
    host.spend(ticks, 100 - ticks);
    // Off the beat by up to 0.3 s.
    host.tick(second + 0.3 * ((random >> 8U) % 100) / 100);
  }
  const auto samples = host.samples(1001);
  CHECK(SignalsHost::value_in(samples, kCount) == "1000");
  CHECK(SignalsHost::value_in(samples, kSampled) == "1000");
  CHECK(SignalsHost::value_in(samples, kMissed) == "0");
  const auto sum =
      std::strtod(SignalsHost::value_in(samples, "host_cpu_busy_ratio_sum").c_str(), nullptr);
  CHECK(sum == Approx(busy / 100.0).epsilon(1e-9));
}

TEST_CASE("a late tick is one sample over its true length, and the rest is missed") {
  SignalsHost host;
  host.tick(0);
  host.stat.forks = 100;
  host.spend(500, 500);
  host.tick(10.2);
  const auto samples = host.samples(10.5);
  CHECK(SignalsHost::value_in(samples, kPeak) == "0.5");
  CHECK(SignalsHost::value_in(samples, "host_forks_per_second_peak").starts_with("9.8"));
  CHECK(SignalsHost::value_in(samples, kCount) == "1");
  CHECK(SignalsHost::value_in(samples, kSampled) == "1");
  CHECK(SignalsHost::value_in(samples, kMissed) == "9");
}

TEST_CASE("a tick that comes too early goes into the next one") {
  SignalsHost host;
  host.tick(0);
  host.stat.forks = 30;
  host.spend(20, 20);
  host.tick(0.4);
  CHECK(host.value(kCount, 0.4) == "0");
  host.spend(30, 30);
  host.tick(1);
  CHECK(host.value("host_forks_per_second_peak", 1) == "30");
  CHECK(host.value(kCount, 1) == "1");
}

TEST_CASE("a suspended host makes no peak, and its time is missed") {
  SignalsHost host;
  suspended_time = 0s;
  host.host().system.suspended = [] { return suspended_time; };
  host.tick(0);
  host.spend(10, 90);
  host.tick(1);
  suspended_time = 3600s;
  host.stat.forks = 1'000'000;
  host.stat.running = 700;
  host.spend(100, 0);
  host.tick(2);
  auto samples = host.samples(2);
  CHECK(SignalsHost::value_in(samples, kPeak) == "0.1");
  CHECK(SignalsHost::value_in(samples, "host_forks_per_second_peak") == "0");
  CHECK(SignalsHost::value_in(samples, "host_tasks_runnable_peak") == "1");
  CHECK(SignalsHost::value_in(samples, kSampled) == "1");
  CHECK(SignalsHost::value_in(samples, kMissed) == "3601");
  host.stat.forks += 5;
  host.spend(20, 80);
  host.tick(3);
  samples = host.samples(3);
  CHECK(SignalsHost::value_in(samples, kPeak) == "0.2");
  CHECK(SignalsHost::value_in(samples, "host_forks_per_second_peak") == "5");
  CHECK(SignalsHost::value_in(samples, kMissed) == "3601");
}

TEST_CASE("a peak is seen for two windows and a bucket, to the second") {
  SignalsHost host;
  host.host().window = 30s;  // two are 60 s, in buckets of 1 s
  host.tick(0);
  host.spend(80, 20);
  host.tick(1);
  for (int second = 2; second <= 70; ++second) {
    host.spend(10, 90);
    host.tick(second);
    INFO(second);
    CHECK(host.value(kPeak, second + 0.9) == (second <= 61 ? "0.8" : "0.1"));
  }
  CHECK(host.value(kPeak, 130.9) == "0.1");  // the last sample is of 70
  CHECK(host.value(kPeak, 131) == "absent");
  CHECK(host.value(kCount, 131) == "70");
}

TEST_CASE("scrapes change nothing that the next one sees") {
  SignalsHost host;
  SignalsHost quiet;
  for (int second = 0; second <= 30; ++second) {
    for (auto* each : {&host, &quiet}) {
      each->spend(static_cast<unsigned>(second), 60);
      each->tick(second);
    }
    for (const double later : {0.0, 0.3, 0.6}) (void)host.samples(second + later);
  }
  CHECK(host.samples(31) == quiet.samples(31));
}

TEST_CASE("the sample interval is the unit of what is sampled and missed") {
  SignalsHost host;
  host.host().sample_interval = 5s;
  for (const int second : {0, 5, 10, 25}) {
    host.spend(100, 400);
    host.tick(second);
  }
  CHECK(host.value(kSampled, 25) == "15");
  CHECK(host.value(kMissed, 25) == "10");
}

TEST_CASE("a jump in the kernel's sum over all CPUs is no peak") {
  const auto [what, user, idle, iowait] = GENERATE(table<const char*, int, int, int>({
      {"idle went back, as when a CPU goes offline", 5, -2000, 0},
      {"idle went far ahead", 5, 5000, 0},
      {"iowait went far ahead", 5, 90, 5000},
      {"user went far ahead", 9000, 0, 0},
  }));
  INFO(what);
  SignalsHost host;
  host.stat.idle = 10000;
  host.write();
  host.tick(0);
  host.spend(10, 90);
  host.tick(1);
  host.stat.busy = static_cast<unsigned>(static_cast<int>(host.stat.busy) + user);
  host.stat.idle = static_cast<unsigned>(static_cast<int>(host.stat.idle) + idle);
  host.stat.iowait = static_cast<unsigned>(static_cast<int>(host.stat.iowait) + iowait);
  host.write();
  host.tick(2);
  host.spend(20, 80);
  host.tick(3);
  CHECK(host.value("host_cpu_busy_ratio_peak", 3) == "0.2");
  CHECK(host.value("host_cpu_busy_ratio_count", 3) == "2");
  CHECK(host.value("host_cpu_iowait_ratio_peak", 3) == "0");
}
