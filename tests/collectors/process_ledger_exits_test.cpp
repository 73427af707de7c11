// What the ledger makes of exits: every process counts once, whenever its end is told.
#include <catch2/catch.hpp>
#include <string>

#include "tests/support/ledger_host.hpp"

using collectors::ExitReason;
using collectors::ExitSum;
using collectors::ProcessMemory;
using tests::exit_of;
using tests::LedgerHost;
using tests::process;

namespace {

constexpr LedgerHost::Options kEverySecond{.has_exits = true, .seconds_between = 1};

std::uint64_t exited(const LedgerHost& ledger, const std::string& name, ExitReason reason) {
  return ledger[name].exited[static_cast<std::size_t>(reason)];
}

ExitSum sum_of(const std::string& comm, std::uint64_t exits, std::uint64_t cpu_ticks) {
  ExitSum sum;
  sum.comm = collectors::comm_of(comm);
  sum.exits[0] = exits;
  sum.use.cpu_ns = cpu_ticks * tests::kTickNs;
  return sum;
}

double peak_of(const LedgerHost& ledger, const std::string& name) {
  const auto peak = ledger[name].memory_peak_bytes.at(ledger.now());
  return peak ? peak->value : -1;
}

}  // namespace

TEST_CASE("an exit adds what the process used since it was last seen") {
  LedgerHost ledger(kEverySecond);
  ledger.see({process(1, "sh", 100)}).see({}, {exit_of(process(1, "sh"), 107)});
  CHECK(ledger.cpu_ticks("sh") == 107);
  CHECK(ledger["sh"].members.processes == 0);
  CHECK(exited(ledger, "sh", ExitReason::normal) == 1);
}

TEST_CASE("a process that lived between two walks counts whole") {
  LedgerHost ledger(kEverySecond);
  ledger.see({process(1, "init")});
  ledger.see({process(1, "init")},
             {exit_of(process(2, "true"), 3), exit_of(process(3, "true"), 4, ExitReason::oom)});
  CHECK(ledger.cpu_ticks("true") == 7);
  CHECK(ledger["true"].started == 2);
  CHECK(exited(ledger, "true", ExitReason::normal) == 1);
  CHECK(exited(ledger, "true", ExitReason::oom) == 1);
  CHECK(ledger["init"].started == 0);  // it ran before we did
}

TEST_CASE("two that cannot be told apart are two") {
  LedgerHost ledger(kEverySecond);
  ledger.see({process(1, "init"), process(2, "sh", 1)});
  // A pid that came again, with a start that is told roughly: nobody saw the first one.
  ledger.see({process(1, "init")}, {exit_of(process(3, "true"), 3), exit_of(process(3, "true"), 4),
                                    exit_of(process(2, "true"), 5), exit_of(process(2, "sh"), 7)});
  CHECK(ledger["true"].started == 3);
  CHECK(exited(ledger, "true", ExitReason::normal) == 3);
  CHECK(ledger.cpu_ticks("true") == 12);
  CHECK(exited(ledger, "sh", ExitReason::normal) == 1);
  CHECK(ledger.cpu_ticks("sh") == 7);
}

TEST_CASE("a process that was seen before its exec ends under its last name") {
  LedgerHost ledger(kEverySecond);
  ledger.see({process(1, "sh", 1)}).see({}, {exit_of(process(1, "train"), 50)});
  CHECK(ledger.cpu_ticks("sh") == 1);
  CHECK(ledger.cpu_ticks("train") == 49);
  CHECK(exited(ledger, "train", ExitReason::normal) == 1);
  CHECK(exited(ledger, "sh", ExitReason::normal) == 0);
}

TEST_CASE("an exit that is told late finds its process") {
  LedgerHost ledger(kEverySecond);
  ledger.see({process(1, "sh", 100)}).see({}).see({});
  CHECK(ledger.cpu_ticks("sh") == 100);
  ledger.see({}, {exit_of(process(1, "sh"), 107)});
  CHECK(ledger.cpu_ticks("sh") == 107);
  CHECK(ledger["sh"].started == 0);
  CHECK(exited(ledger, "sh", ExitReason::normal) == 1);
  CHECK(ledger.ledger().untold_exits() == 0);
}

TEST_CASE("a zombie whose exit was told is not counted again") {
  auto zombie = process(1, "sh", 107);
  zombie.state = 'Z';
  LedgerHost ledger(kEverySecond);
  SECTION("seen before") { ledger.see({process(1, "sh", 100)}); }
  SECTION("first seen as a zombie") {}
  ledger.see({zombie}, {exit_of(process(1, "sh"), 107)});
  ledger.see({zombie}).see({zombie}).see({});
  for (int second = 0; second < 10; ++second) ledger.see({});
  CHECK(ledger.cpu_ticks("sh") == 107);
  CHECK(exited(ledger, "sh", ExitReason::normal) == 1);
  CHECK(ledger.ledger().untold_exits() == 0);
}

TEST_CASE("an exit that nobody tells is said to be untold, and only where exits are told at all") {
  auto options = kEverySecond;
  options.has_exits = GENERATE(true, false);
  LedgerHost ledger(options);
  ledger.see({process(1, "sh", 100)});
  for (int second = 0; second < 18; ++second) ledger.see({});
  ledger.wait(290).see({});
  CHECK(ledger.ledger().untold_exits() == 0);
  ledger.wait(10).see({});
  CHECK(ledger.ledger().untold_exits() == (options.has_exits ? 1 : 0));
  CHECK(ledger.cpu_ticks("sh") == 100);
}

TEST_CASE("the pid of one that exited may come back at once") {
  auto young = process(1, "sh", 5);
  young.basics.identity.start_ticks = 2000;
  LedgerHost ledger(kEverySecond);
  ledger.see({process(1, "sh", 100)}).see({young}, {exit_of(process(1, "sh"), 110)});
  CHECK(ledger.cpu_ticks("sh") == 115);
  CHECK(ledger["sh"].started == 1);
}

TEST_CASE("a sum of exits counts what was not counted before, once that is clear") {
  LedgerHost ledger(kEverySecond);
  // Of three that ended unheard, with 150 ticks in all, one had been seen with 100.
  ledger.see({process(1, "sh", 100)});
  ledger.take({{}, {sum_of("sh", 3, 150)}}, {});
  for (int second = 0; second < 27; ++second) {
    ledger.see({});
    CHECK(ledger.cpu_ticks("sh") <= 150);
  }
  CHECK(ledger.cpu_ticks("sh") == 150);
  CHECK(ledger["sh"].started == 2);
  CHECK(exited(ledger, "sh", ExitReason::normal) == 3);
  CHECK(ledger.ledger().untold_exits() == 0);
}

TEST_CASE("more processes than a sum holds are not all in it") {
  LedgerHost ledger(kEverySecond);
  ledger.see({process(1, "sh", 10), process(2, "sh", 20), process(3, "cc", 5)});
  ledger.take({{}, {sum_of("sh", 1, 30)}}, {});
  for (int second = 0; second < 27; ++second) ledger.see({});
  ledger.wait(300).see({});
  CHECK(ledger.ledger().untold_exits() == 2);
  CHECK(exited(ledger, "sh", ExitReason::normal) == 1);
}

TEST_CASE("a process without a group yet brings all along when it gets one") {
  LedgerHost ledger(kEverySecond);
  ledger.see({process(1, "?", 100)});
  CHECK(ledger.names().empty());
  SECTION("while it runs") {
    ledger.resolver.knows_all = true;
    ledger.see({process(1, "?", 120)});
  }
  SECTION("at its end") { ledger.see({}, {exit_of(process(1, "?"), 120)}); }
  CHECK(ledger.cpu_ticks("?") == 120);
}

TEST_CASE("what a process used outside every group is nobody's") {
  LedgerHost ledger(kEverySecond);
  ledger.see({process(1, "-", 100)}).see({process(1, "sh", 130)});
  CHECK(ledger.names() == std::vector<std::string>{"sh"});
  CHECK(ledger.cpu_ticks("sh") == 30);
}

TEST_CASE("the kernel's mark shows a peak that no walk saw, for two windows") {
  auto trainer = process(1, "train");
  trainer.memory = ProcessMemory{.resident_bytes = 100, .peak_resident_bytes = 900};
  LedgerHost ledger({.has_exits = true});
  SECTION("of a process that runs on") { ledger.see({}).see({trainer}); }
  SECTION("of one that came and went") {
    auto exit = exit_of(process(2, "train"), 1);
    exit.peak_resident_bytes = 900;
    trainer.memory->peak_resident_bytes = 100;
    ledger.see({trainer}).see({trainer}, {exit});
  }
  CHECK(peak_of(ledger, "train") == 900);
  // A mark that does not rise may be of long ago: then what is resident now is shown.
  for (int minute = 0; minute < 12; ++minute) ledger.see({trainer});
  CHECK(peak_of(ledger, "train") == 100);
}

TEST_CASE("a mark of before the first walk is no peak") {
  auto trainer = process(1, "train");
  trainer.memory = ProcessMemory{.resident_bytes = 100, .peak_resident_bytes = 900};
  LedgerHost ledger(kEverySecond);
  ledger.see({trainer}).see({trainer});
  CHECK(peak_of(ledger, "train") == 100);
  trainer.memory->peak_resident_bytes = 901;
  ledger.see({trainer});
  CHECK(peak_of(ledger, "train") == 901);
}

TEST_CASE("a group's CPUs are sampled at each tick, and what it used before the first is no peak") {
  LedgerHost ledger(kEverySecond);
  ledger.see({process(1, "train", 100'000)}).end_tick();
  CHECK_FALSE(ledger["train"].cpu_cores_peak.at(ledger.now()));
  ledger.see({process(1, "train", 100'150)}).end_tick();
  ledger.see({process(1, "train", 100'150)}, {exit_of(process(2, "train"), 50)}).end_tick();
  CHECK(ledger["train"].cpu_cores_peak.at(ledger.now())->value == Approx(1.5));
  std::array<metrics::Bucket, collectors::kCpuCoresEdges.size() + 1> room{};
  const auto histogram = ledger["train"].cpu_cores.reading(room);
  CHECK(room.back().cumulative_count == 2);
  CHECK(histogram.sum == Approx(2.0));
}

TEST_CASE("the top lists hold those that are gone") {
  LedgerHost ledger(kEverySecond);
  ledger.see({process(1, "calm", 1000), process(2, "burst", 1)});
  for (int second = 0; second < 40; ++second) {
    ledger.see({process(1, "calm", 1000), process(2, "burst", 1)});
  }
  ledger.see({process(1, "calm", 1002)}, {exit_of(process(2, "burst"), 500)});
  for (int second = 0; second < 60; ++second) ledger.see({process(1, "calm", 1002)});
  auto busiest = ledger.ledger().top(10).busiest;
  REQUIRE(busiest.size() == 2);
  CHECK(collectors::text_of(busiest[0].comm) == "burst");
  CHECK(busiest[0].cpu_ns == 499 * tests::kTickNs);
  for (int second = 0; second < 330; ++second) ledger.see({process(1, "calm", 1002)});
  CHECK(ledger.ledger().top(10).busiest.empty());
}
