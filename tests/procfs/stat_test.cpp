#include "procfs/stat.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "tests/support/fixture_host.hpp"

using procfs::busy_ratio;
using procfs::CpuTicks;
using procfs::parse_stat;

namespace {

// Two CPUs with a gap, as on a host where CPU 1 is offline.
const std::string kWholeStat =
    "cpu  300 30 90 4000 60 6 12 18 24 8\n"
    "cpu0 100 10 30 1500 20 2 4 6 8 3\n"
    "cpu2 200 20 60 2500 40 4 8 12 16 5\n"
    "intr 193130 0 9 0 0 42 0\n"
    "ctxt 355772\n"
    "btime 1690000000\n"
    "processes 5004\n"
    "procs_running 3\n"
    "procs_blocked 1\n"
    "softirq 135094 0 17268 6 1327\n";

std::string without(std::string text, const std::string& line_start) {
  const auto begin = text.find(line_start);
  return text.erase(begin, text.find('\n', begin) + 1 - begin);
}

}  // namespace

TEST_CASE("parse_stat reads every column of the cpu lines") {
  const auto stat = parse_stat(kWholeStat);
  REQUIRE(stat);
  const auto& all = stat->all_cpus;
  CHECK(all.user == 300);
  CHECK(all.nice == 30);
  CHECK(all.system == 90);
  CHECK(all.idle == 4000);
  CHECK(all.iowait == 60);
  CHECK(all.irq == 6);
  CHECK(all.softirq == 12);
  CHECK(all.steal == 18);
  CHECK(all.guest == 24);
  CHECK(all.guest_nice == 8);
  REQUIRE(stat->cpus.size() == 2);
  CHECK(stat->cpus[0].id == 0);
  CHECK(stat->cpus[0].ticks.guest_nice == 3);
  CHECK(stat->cpus[1].id == 2);
  CHECK(stat->cpus[1].ticks.user == 200);
}

TEST_CASE("parse_stat reads the totals of the host") {
  const auto stat = parse_stat(kWholeStat);
  REQUIRE(stat);
  CHECK(stat->interrupts == 193130);
  CHECK(stat->context_switches == 355772);
  CHECK(stat->boot_time_seconds == 1690000000);
  CHECK(stat->forks == 5004);
  CHECK(stat->processes_running == 3);
  CHECK(stat->processes_blocked == 1);
}

TEST_CASE("parse_stat passes over lines and columns it does not know") {
  const auto stat =
      parse_stat("swap 1 2\n\n" + kWholeStat + "page 5 6\nfuture words, no numbers\n");
  REQUIRE(stat);
  CHECK(stat->all_cpus.idle == 4000);

  auto wider = kWholeStat;
  wider.insert(wider.find('\n'), " 77 88");
  CHECK(parse_stat(wider));
}

TEST_CASE("parse_stat takes an intr line of hundreds of kilobytes") {
  std::string vectors;
  for (int i = 0; i < 100'000; ++i) vectors += " 0";
  auto text = kWholeStat;
  text.insert(text.find("\nctxt"), vectors);
  const auto stat = parse_stat(text);
  REQUIRE(stat);
  CHECK(stat->interrupts == 193130);
  CHECK(stat->context_switches == 355772);
}

TEST_CASE("parse_stat takes the largest number there is") {
  auto text = kWholeStat;
  text.replace(text.find("355772"), 6, "18446744073709551615");
  const auto stat = parse_stat(text);
  REQUIRE(stat);
  CHECK(stat->context_switches == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("parse_stat rejects text that is not /proc/stat") {
  const auto [what, text] = GENERATE(table<const char*, std::string>({
      {"empty file", ""},
      {"one newline", "\n"},
      {"words", "lorem ipsum\n"},
      {"no total", without(kWholeStat, "cpu  ")},
      {"no intr", without(kWholeStat, "intr")},
      {"no ctxt", without(kWholeStat, "ctxt")},
      {"no btime", without(kWholeStat, "btime")},
      {"no processes", without(kWholeStat, "processes")},
      {"no procs_running", without(kWholeStat, "procs_running")},
      {"no procs_blocked", without(kWholeStat, "procs_blocked")},
      {"nine columns", "cpu 1 2 3 4 5 6 7 8 9\n" + without(kWholeStat, "cpu  ")},
      {"a cpu number past 32 bits", "cpu4294967296 1 2 3 4 5 6 7 8 9 10\n" + kWholeStat},
      {"a cpu number that is a word", "cpux 1 2 3 4 5 6 7 8 9 10\n" + kWholeStat},
      {"a negative column", "cpu1 -1 2 3 4 5 6 7 8 9 10\n" + kWholeStat},
      {"a column past 64 bits", "cpu1 99999999999999999999 2 3 4 5 6 7 8 9 10\n" + kWholeStat},
      {"a total without its number", "ctxt\n" + kWholeStat},
      {"a total with a tail", "ctxt 12x\n" + kWholeStat},
      {"a NUL byte in a number", "ctxt 1" + std::string(1, '\0') + "2\n" + kWholeStat},
  }));
  INFO(what);
  const auto stat = parse_stat(text);
  REQUIRE_FALSE(stat);
  CHECK(stat.error().code == metrics::Errc::malformed);
}

TEST_CASE("parse_stat's error shows the line it could not read") {
  const auto stat = parse_stat("cpu 1 2 three 4 5 6 7 8 9 10\n");
  REQUIRE_FALSE(stat);
  CHECK_THAT(stat.error().detail, Catch::Contains("stat") && Catch::Contains("1 2 three 4"));
}

TEST_CASE("parse_stat survives any truncation and damage") {
  tests::survives_truncation_and_damage(kWholeStat, parse_stat);
}

TEST_CASE("busy_ratio is the share spent neither idle nor waiting for I/O") {
  const CpuTicks before{.user = 100, .system = 50, .idle = 1000, .iowait = 10};
  const CpuTicks after{.user = 110, .system = 55, .idle = 1070, .iowait = 25};
  CHECK(*busy_ratio(before, after) == Approx(0.15));
}

TEST_CASE("busy_ratio counts steal as busy and guest time once") {
  const CpuTicks before{};
  CHECK(*busy_ratio(before, {.idle = 75, .steal = 25}) == Approx(0.25));
  CHECK(*busy_ratio(before, {.user = 50, .idle = 50, .guest = 50}) == Approx(0.5));
  CHECK(*busy_ratio(before, {.nice = 10, .idle = 90, .guest_nice = 10}) == Approx(0.1));
}

TEST_CASE("busy_ratio is nothing when no tick passed") {
  const CpuTicks ticks{.user = 1, .idle = 2};
  CHECK_FALSE(busy_ratio(ticks, ticks));
  CHECK_FALSE(busy_ratio(ticks, {}));
}

TEST_CASE("busy_ratio stays within 0..1 when columns step back or leap") {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  CHECK(*busy_ratio({.iowait = 90}, {.user = 10, .iowait = 10}) == 1.0);
  CHECK(*busy_ratio({.user = 90}, {.user = 10, .idle = 10}) == 0.0);
  CHECK(*busy_ratio({}, {.idle = 10'000, .guest = kMost}) == 0.0);
  CHECK(*busy_ratio({}, {.user = kMost, .idle = kMost}) == Approx(0.5));
  CHECK(*busy_ratio({}, {.user = 1, .idle = kMost}) >= 0.0);
  CHECK(*busy_ratio({}, {.user = kMost, .idle = 1}) <= 1.0);
}

TEST_CASE("cpu_shares tells what the time went to") {
  const CpuTicks before{.user = 1, .idle = 2, .iowait = 3, .steal = 4, .guest = 1};
  const CpuTicks after{
      .user = 11, .nice = 5, .system = 5, .idle = 42, .iowait = 23, .steal = 24, .guest = 11};
  const auto shares = procfs::cpu_shares(before, after);
  REQUIRE(shares);
  CHECK(shares->ticks == 100);
  CHECK(shares->busy == 0.4);
  CHECK(shares->iowait == 0.2);
  CHECK(shares->steal == 0.2);
  CHECK_FALSE(procfs::cpu_shares(before, before));
}
