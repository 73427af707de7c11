// Who gets a place of the ledger's groups, and who can keep others out.
#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/ledger_host.hpp"

using collectors::ProcessSample;
using tests::exit_of;
using tests::LedgerHost;
using tests::process;

namespace {

ProcessSample of_user(ProcessSample sample, std::uint32_t user_id) {
  sample.basics.user_id = user_id;
  return sample;
}

bool has(const LedgerHost& ledger, const std::string& name) {
  return ledger.ledger().groups().by_key().contains({name, {}});
}

}  // namespace

TEST_CASE("the busiest get the places of the first walks when their names come later") {
  LedgerHost ledger({.max_groups = 2});
  const std::vector<ProcessSample> processes{process(1, "?a", 10), process(2, "?b", 20),
                                             process(3, "?c", 12)};
  ledger.see(processes);
  ledger.resolver.knows_all = true;
  ledger.see(processes);
  CHECK(ledger.names() == std::vector<std::string>{"?b", "?c", "other"});
}

TEST_CASE("a place that becomes free goes to the busiest that waits for one") {
  LedgerHost ledger({.max_groups = 2,
                     .keep_empty = std::chrono::seconds(50),
                     .has_exits = true,
                     .seconds_between = 10});
  ledger.see({process(1, "a"), process(2, "b")});
  std::uint64_t ticks = 0;
  const auto see_rest = [&](std::vector<collectors::ProcessExit> exits = {}) {
    ++ticks;
    ledger.see({process(1, "a"), process(3, "idle"), process(4, "busy", ticks * 10),
                process(5, "slow", ticks)},
               std::move(exits));
  };
  see_rest({exit_of(process(2, "b"), 0)});
  CHECK(ledger.ledger().groups().crowded_out() == 3);
  for (int walk = 0; walk < 5; ++walk) see_rest();
  CHECK_FALSE(has(ledger, "busy"));
  for (int walk = 0; walk < 12; ++walk) see_rest();
  CHECK(has(ledger, "busy"));
  CHECK(ledger["busy"].members.processes == 1);
  CHECK_FALSE(has(ledger, "idle"));
  CHECK_FALSE(has(ledger, "slow"));
  CHECK(ledger["other"].members.processes == 2);
  // What it used before stays where it was counted.
  CHECK(ledger.cpu_ticks("busy") + ledger.cpu_ticks("other") == ticks * 11);
  CHECK(ledger.ledger().groups().crowded_out() == 3);
}

TEST_CASE("no user but root keeps all others out by inventing names") {
  LedgerHost ledger({.max_groups = 8});
  ledger.see({of_user(process(1, "init"), 0)});
  const auto hostile = GENERATE(0U, 1000U);
  std::vector<ProcessSample> processes{of_user(process(1, "init"), 0)};
  for (int pid = 2; pid < 20; ++pid) {
    processes.push_back(of_user(process(pid, std::to_string(pid)), hostile));
  }
  ledger.see(processes);
  CHECK(ledger.names().size() == (hostile == 0 ? 8 + 1 : 1 + 6 + 1));
  processes.push_back(of_user(process(20, "sshd"), 33));
  ledger.see(processes);
  CHECK(has(ledger, "sshd") == (hostile != 0));
}
