// Whose group is asked for again: after an exec, and when the rules are others.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/ledger_host.hpp"

using collectors::ExitReason;
using collectors::ProcessSample;
using tests::exit_of;
using tests::LedgerHost;
using tests::process;

namespace {

using Groups = std::vector<std::string>;

ProcessSample with_execs(ProcessSample sample, std::uint32_t execs) {
  sample.basics.execs = execs;
  return sample;
}

std::uint64_t normal_exits(const LedgerHost& ledger, const std::string& group) {
  return ledger[group].exited[static_cast<std::size_t>(ExitReason::normal)];
}

constexpr LedgerHost::Options kHearsExits = {.has_exits = true, .seconds_between = 1};

}  // namespace

TEST_CASE("an exec under the same name moves a process, and what was counted stays") {
  LedgerHost ledger;
  ledger.see({with_execs(process(1, "python3", 100), 7)});
  ledger.see({with_execs(process(1, "python3", 130), 8)});
  CHECK(ledger.cpu_ticks("python3@7") == 100);
  CHECK(ledger.cpu_ticks("python3@8") == 30);
  CHECK(ledger["python3@7"].members.processes == 0);
  CHECK(ledger["python3@8"].members.processes == 1);
}

TEST_CASE("a source that cannot tell execs for a while moves nobody") {
  LedgerHost ledger;
  ledger.see({with_execs(process(1, "python3", 100), 7)});
  ledger.see({process(1, "python3", 110)});  // a zombie has no stack
  ledger.see({with_execs(process(1, "python3", 120), 7)});
  CHECK(ledger.names() == Groups{"python3@7"});
  CHECK(ledger.cpu_ticks("python3@7") == 120);
}

TEST_CASE("a process that ends after an exec that no walk saw ends as what it became") {
  LedgerHost ledger(kHearsExits);
  ledger.see({with_execs(process(1, "python3", 100), 7)});
  SECTION("another exec") {
    ledger.see({}, {exit_of(with_execs(process(1, "python3"), 8), 150)});
    CHECK(ledger.cpu_ticks("python3@7") == 100);
    CHECK(ledger.cpu_ticks("python3@8") == 50);
    CHECK(normal_exits(ledger, "python3@8") == 1);
  }
  SECTION("the same") {
    ledger.see({}, {exit_of(with_execs(process(1, "python3"), 7), 150)});
    CHECK(ledger.names() == Groups{"python3@7"});
  }
  SECTION("execs are not told at exits") {
    ledger.see({}, {exit_of(process(1, "python3"), 150)});
    CHECK(ledger.names() == Groups{"python3@7"});
    CHECK(ledger.cpu_ticks("python3@7") == 150);
  }
}

TEST_CASE("with other rules all move at the next walk, and what was counted stays") {
  LedgerHost ledger;
  ledger.see({process(1, "sh", 100), process(2, "cc", 5)}).rematch("new-");
  CHECK(ledger.names() == Groups{"cc", "sh"});
  ledger.see({process(1, "sh", 120), process(2, "cc", 5)});
  CHECK(ledger.cpu_ticks("sh") == 100);
  CHECK(ledger.cpu_ticks("new-sh") == 20);
  CHECK(ledger.cpu_ticks("cc") == 5);
  CHECK(ledger.cpu_ticks("new-cc") == 0);
  CHECK(ledger["sh"].members.processes == 0);
  CHECK(ledger["new-sh"].members.processes == 1);
  CHECK(ledger["new-sh"].started == 0);
}

TEST_CASE("a group that other rules have emptied is dropped after its time") {
  LedgerHost ledger;
  ledger.see({process(1, "sh", 100)}).rematch("new-").see({process(1, "sh", 100)});
  ledger.wait(480).see({process(1, "sh", 100)});
  CHECK(ledger.names() == Groups{"new-sh", "sh"});
  ledger.wait(120).see({process(1, "sh", 100)});
  CHECK(ledger.names() == Groups{"new-sh"});
}

TEST_CASE("until its new group is known, a process is shown in the old one") {
  LedgerHost ledger;
  ledger.see({process(1, "sh", 100)}).rematch("?");
  ledger.see({process(1, "sh", 120)});
  CHECK(ledger["sh"].members.processes == 1);
  CHECK(ledger.cpu_ticks("sh") == 100);
  ledger.resolver.knows_all = true;
  ledger.see({process(1, "sh", 125)});
  CHECK(ledger.cpu_ticks("?sh") == 25);
  CHECK(ledger["sh"].members.processes == 0);
}

TEST_CASE("what other rules give no group is in none from then on") {
  LedgerHost ledger;
  ledger.see({process(1, "sh", 100)}).rematch("-").see({process(1, "sh", 120)});
  CHECK(ledger.cpu_ticks("sh") == 100);
  CHECK(ledger["sh"].members.processes == 0);
  ledger.rematch("").see({process(1, "sh", 121)});
  CHECK(ledger.cpu_ticks("sh") == 101);
  CHECK(ledger["sh"].members.processes == 1);
}

TEST_CASE("what ends while the rules change is counted once") {
  LedgerHost ledger(kHearsExits);
  ledger.see({process(1, "sh", 100), process(2, "cc", 10)});
  ledger.see({process(1, "sh", 100)}).rematch("new-");  // 2 is gone, its exit not told yet
  ledger.see({}, {exit_of(process(1, "sh"), 107), exit_of(process(2, "cc"), 15)});
  CHECK(ledger.cpu_ticks("sh") == 100);
  CHECK(ledger.cpu_ticks("new-sh") == 7);
  CHECK(normal_exits(ledger, "new-sh") == 1);
  CHECK(ledger.cpu_ticks("cc") == 15);
  CHECK(normal_exits(ledger, "cc") == 1);
  CHECK(ledger.ledger().untold_exits() == 0);
}

TEST_CASE("a zombie that was counted as ended stays where it ended") {
  auto zombie = process(1, "sh", 107);
  zombie.state = 'Z';
  LedgerHost ledger(kHearsExits);
  ledger.see({process(1, "sh", 100)}).see({zombie}, {exit_of(process(1, "sh"), 107)});
  ledger.rematch("new-").see({zombie}).see({});
  CHECK(ledger.cpu_ticks("sh") == 107);
  CHECK(normal_exits(ledger, "sh") == 1);
  CHECK(ledger["sh"].members.processes == 0);
}

TEST_CASE("of the names by other rules, those with most CPU time get the free places") {
  LedgerHost ledger({.max_groups = 3});
  ledger.see({process(1, "a", 1), process(2, "b", 9)}).rematch("new-");
  ledger.see({process(1, "a", 1), process(2, "b", 9)});
  CHECK(ledger.names() == Groups{"a", "b", "new-b", "other"});
}
