// What the ledger makes of processes that ran before the first walk: they have counters from the
// start, and no sample, peak or top list has what they did before.
#include <catch2/catch.hpp>
#include <string>

#include "tests/support/ledger_host.hpp"

using collectors::ProcessMemory;
using tests::exit_of;
using tests::LedgerHost;
using tests::process;

namespace {

constexpr LedgerHost::Options kSecondBySecond{.has_exits = true, .seconds_between = 1};

double cores_sum(const collectors::ProcessGroup& group) {
  std::array<metrics::Bucket, collectors::kCpuCoresEdges.size() + 1> room{};
  return group.cpu_cores.reading(room).sum;
}

}  // namespace

TEST_CASE("a long life of before our time is in no tick, however late it gets a group") {
  LedgerHost ledger(kSecondBySecond);
  const auto later = GENERATE(0, 1, 3);
  ledger.see({process(1, "?train", 100'000)}).end_tick();
  for (int tick = 0; tick < later; ++tick) {
    ledger.see({process(1, "?train", 100'000)}).end_tick();
  }
  ledger.resolver.knows_all = true;
  ledger.see({process(1, "?train", 100'150)}).end_tick();
  const auto& group = ledger["?train"];
  CHECK(ledger.cpu_ticks("?train") == 100'150);
  CHECK(group.cpu_cores_peak.at(ledger.now())->value == Approx(1.5));
  CHECK(cores_sum(group) == Approx(1.5));
  CHECK(group.started == 0);
  const auto busiest = ledger.ledger().top(1).busiest;
  REQUIRE(busiest.size() == 1);
  CHECK(busiest[0].cpu_ns == 150 * tests::kTickNs);
}

TEST_CASE("what a young process used before it got a group is in the tick in which it gets it") {
  LedgerHost ledger(kSecondBySecond);
  ledger.see({}).end_tick().see({process(1, "?cc", 40)}).end_tick();
  ledger.resolver.knows_all = true;
  ledger.see({process(1, "?cc", 90)}).end_tick();
  CHECK(ledger["?cc"].cpu_cores_peak.at(ledger.now())->value == Approx(0.9));
  CHECK(ledger["?cc"].started == 1);
}

TEST_CASE("one that the first walk could not read ran before our time, too") {
  auto old = process(1, "train", 100'000);
  old.memory = ProcessMemory{.resident_bytes = 100, .peak_resident_bytes = 900};
  old.basics.identity.start_ticks = 500;
  const auto init = process(2, "init");
  LedgerHost ledger(kSecondBySecond);
  SECTION("left out of it") { ledger.see_but({init}, {1}).end_tick().see({old, init}).end_tick(); }
  SECTION("without its numbers") {
    auto torn = old;
    torn.use = {};
    ledger.see({torn, init}).end_tick().see({old, init}).end_tick();
  }
  SECTION("in no walk before its end") {
    auto exit = exit_of(old, 100'000);
    exit.peak_resident_bytes = 900;
    ledger.see({init}).end_tick().see({init}, {exit}).end_tick();
  }
  const auto& group = ledger["train"];
  CHECK(ledger.cpu_ticks("train") == 100'000);
  CHECK(group.cpu_cores_peak.at(ledger.now())->value == 0);
  CHECK(
      group.memory_peak_bytes.at(ledger.now()).value_or(metrics::SlidingExtreme::Extreme{}).value <
      900);
  CHECK(group.started == 0);
  CHECK(ledger.ledger().top(1).busiest.empty());
}

TEST_CASE("one in no group for a while brings nothing of before into its ticks") {
  LedgerHost ledger(kSecondBySecond);
  ledger.see({process(1, "-", 100)}).end_tick().see({process(1, "sh", 130)}).end_tick();
  CHECK(ledger["sh"].cpu_cores_peak.at(ledger.now())->value == Approx(0.3));
}

TEST_CASE("the user and the place of a process are those of the last walk") {
  auto daemon = process(1, "daemon", 10);
  daemon.basics.user_id = 0;
  daemon.basics.cgroup_id = 7;
  daemon.basics.parent_pid = 99;
  LedgerHost ledger(kSecondBySecond);
  ledger.resolver.is_by_user = true;
  ledger.see({daemon});
  daemon.basics.user_id = 1000;
  daemon.basics.cgroup_id = 8;
  daemon.basics.parent_pid = 1;
  daemon.use.cpu_ns += 5 * tests::kTickNs;
  ledger.see({daemon});
  const auto busiest = ledger.ledger().top(1).busiest;
  REQUIRE(busiest.size() == 1);
  CHECK(busiest[0].user_id == 1000U);
  CHECK(busiest[0].cgroup_id == 8);
  CHECK(ledger.names() == std::vector<std::string>{"daemon of 0", "daemon of 1000"});
  CHECK(ledger.cpu_ticks("daemon of 1000") == 5);
  CHECK(ledger["daemon of 0"].members.processes == 0);
}
