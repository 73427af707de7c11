// What the ledger makes of exits that come too late, and of sums that say little.
#include <catch2/catch.hpp>
#include <string>

#include "collectors/process/departed.hpp"
#include "tests/support/ledger_host.hpp"

using collectors::Departed;
using collectors::ExitSum;
using tests::exit_of;
using tests::LedgerHost;
using tests::process;

namespace {

constexpr LedgerHost::Options kEachSecond{.has_exits = true, .seconds_between = 1};

ExitSum sum_called(const std::string& comm, std::uint64_t exits, std::uint64_t cpu_ticks,
                   std::uint64_t user_ticks = 0) {
  ExitSum sum;
  sum.comm = collectors::comm_of(comm);
  sum.exits[0] = exits;
  sum.use.cpu_ns = cpu_ticks * tests::kTickNs;
  sum.use.user_ns = user_ticks * tests::kTickNs;
  return sum;
}

ExitSum nameless(std::uint64_t exits, std::uint64_t cpu_ticks) {
  auto sum = sum_called("", exits, cpu_ticks);
  sum.is_nameless = true;
  return sum;
}

void pass(LedgerHost& ledger, int seconds) {
  for (int second = 0; second < seconds; ++second) ledger.see({});
}

std::uint64_t exits_of(const collectors::ProcessGroup& group) { return group.exited[0]; }

}  // namespace

TEST_CASE("an exit that is told minutes late adds only what was not counted, and is not lost") {
  LedgerHost ledger(kEachSecond);
  ledger.see({process(1, "sh", 100)});
  pass(ledger, 100);
  ledger.see({}, {exit_of(process(1, "sh"), 107)});
  pass(ledger, 400);
  CHECK(ledger.cpu_ticks("sh") == 107);
  CHECK(exits_of(ledger["sh"]) == 1);
  CHECK(ledger["sh"].started == 0);
  CHECK(ledger.ledger().untold_exits() == 0);
}

TEST_CASE("a process that was missing from walks for a while is not counted anew") {
  const auto seconds = GENERATE(1, 100);  // it is waited for, or thought to be lost
  LedgerHost ledger(kEachSecond);
  ledger.see({process(1, "sh", 100)});
  pass(ledger, seconds);
  ledger.see({process(1, "sh", 110)}).see({process(1, "sh", 120)});
  CHECK(ledger.cpu_ticks("sh") == 120);
  CHECK(ledger["sh"].members.processes == 1);
  CHECK(ledger["sh"].started == 0);
  pass(ledger, 2);
  ledger.see({}, {exit_of(process(1, "sh"), 125)});
  pass(ledger, 400);
  CHECK(ledger.cpu_ticks("sh") == 125);
  CHECK(ledger.ledger().untold_exits() == 0);
}

TEST_CASE("the group of a process that seems lost is kept for as long as that is remembered") {
  auto options = kEachSecond;
  options.keep_empty = std::chrono::seconds(20);
  LedgerHost ledger(options);
  ledger.see({process(1, "sh", 100)});
  pass(ledger, 100);
  ledger.see({}, {exit_of(process(1, "sh"), 107)});
  CHECK(ledger.cpu_ticks("sh") == 107);
}

TEST_CASE("of those that are gone only so many are remembered, and those for a time") {
  const auto at = [](int second) { return tests::at_second(second); };
  Departed<int> departed({.most = 2, .time = std::chrono::seconds(10)});
  departed.add({1, 1}, 10, at(1));
  departed.add({2, 1}, 20, at(2));
  departed.add({3, 1}, 30, at(3));
  CHECK(departed.forgotten() == 1);
  CHECK_FALSE(departed.take({1, 1}));
  CHECK_FALSE(departed.take({2, 2}));
  CHECK(departed.take({2, 1}) == 20);
  CHECK_FALSE(departed.take({2, 1}));
  departed.forget_old(at(12));
  CHECK(departed.forgotten() == 1);
  departed.forget_old(at(13));
  CHECK(departed.forgotten() == 2);
  CHECK_FALSE(departed.take({3, 1}));
}

TEST_CASE("what is known of the nameless is in `other`, less what was counted of them before") {
  LedgerHost ledger(kEachSecond);
  ledger.see({process(1, "sh", 100), process(2, "init")});
  ledger.take({{}, {nameless(3, 150)}}, {});
  pass(ledger, 27);
  CHECK(ledger.cpu_ticks("sh") == 100);
  CHECK(ledger.cpu_ticks("other") == 50);
  CHECK(exits_of(ledger["other"]) == 3);
  CHECK(ledger["other"].started == 1);
}

TEST_CASE("a sum of its name is looked for before the nameless, and these before any") {
  LedgerHost ledger(kEachSecond);
  ledger.see({process(1, "sh", 100), process(2, "cc", 30)});
  ledger.take({{}, {sum_called("true", 5, 5), nameless(1, 40), sum_called("sh", 1, 110)}}, {});
  pass(ledger, 27);
  CHECK(ledger.cpu_ticks("sh") == 110);
  CHECK(ledger.cpu_ticks("other") == 10);
  CHECK(ledger.cpu_ticks("true") == 5);
}

TEST_CASE("sums that no rule fits are in `other`") {
  LedgerHost ledger(kEachSecond);
  ledger.see({});
  ledger.take({{}, {sum_called("-true", 2, 9)}}, {});
  pass(ledger, 27);
  CHECK(ledger.cpu_ticks("other") == 9);
  CHECK(exits_of(ledger["other"]) == 2);
}

TEST_CASE("what is owed of one sum comes off no sum of long after") {
  LedgerHost ledger(kEachSecond);
  ledger.see({process(1, "sh", 100)});
  ledger.take({{}, {sum_called("true", 1, 5)}}, {});  // not the sh's: 95 ticks of it stay owed
  pass(ledger, 50);
  ledger.take({{}, {sum_called("true", 1, 50)}}, {});
  pass(ledger, 27);
  CHECK(ledger.cpu_ticks("true") == 50);
}

TEST_CASE("what is owed of one sum comes off another of the same time") {
  LedgerHost ledger(kEachSecond);
  ledger.see({process(1, "sh", 100)});
  // It had become a `cc`, whose sum comes last.
  ledger.take({{}, {sum_called("true", 1, 5)}}, {}).take({{}, {sum_called("cc", 1, 120)}}, {});
  pass(ledger, 27);
  CHECK(ledger.cpu_ticks("sh") + ledger.cpu_ticks("true") + ledger.cpu_ticks("cc") == 125);
}

TEST_CASE("neither user nor system time goes back, whatever is taken off a sum") {
  // Less was user time when it was counted than of the same time in the sum, or more.
  const auto counted_user = GENERATE(0, 100);
  const auto user_ticks = GENERATE(0, 60, 110, 200);
  auto shell = process(1, "sh", 100);
  shell.use.user_ns = static_cast<std::uint64_t>(counted_user) * tests::kTickNs;
  LedgerHost ledger(kEachSecond);
  ledger.see({shell});
  ledger.take({{}, {sum_called("sh", 1, 110, static_cast<std::uint64_t>(user_ticks))}}, {});
  const auto system_ns = [&] {
    const auto& totals = ledger["sh"].totals;
    REQUIRE(totals.user_ns <= totals.cpu_ns);
    return totals.cpu_ns - totals.user_ns;
  };
  const auto user_before = ledger["sh"].totals.user_ns;
  const auto system_before = system_ns();
  pass(ledger, 27);
  CHECK(ledger.cpu_ticks("sh") == 110);
  CHECK(ledger["sh"].totals.user_ns >= user_before);
  CHECK(system_ns() >= system_before);
}
