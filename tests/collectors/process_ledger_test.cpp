// What the ledger makes of walks alone: identities, groups, and their places.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/ledger_host.hpp"

using collectors::Count;
using collectors::ProcessMemory;
using collectors::ProcessSample;
using tests::LedgerHost;
using tests::process;

namespace {

using Names = std::vector<std::string>;

ProcessSample with_io(ProcessSample sample, std::uint64_t read_bytes, std::uint64_t write_bytes) {
  sample.use.set(Count::read_bytes, read_bytes);
  sample.use.set(Count::write_bytes, write_bytes);
  return sample;
}

std::uint64_t count_of(const collectors::ProcessGroup& group, Count count) {
  return group.totals.counts[static_cast<std::size_t>(count)];
}

bool is_readable(const collectors::ProcessGroup& group, Count count) {
  return (group.totals.readable >> static_cast<unsigned>(count) & 1U) != 0;
}

}  // namespace

TEST_CASE("a group sums what its members hold now") {
  auto first = process(1, "train");
  first.state = 'R';
  first.threads = 8;
  first.basics.identity.start_ticks = 300;
  first.memory = ProcessMemory{2000, 5000, 100, 2500};
  first.open_files = 5;
  auto second = process(2, "train");
  second.threads = 1;
  second.basics.identity.start_ticks = 200;
  second.memory = ProcessMemory{300, 600, 10, 300};
  second.open_files = 7;
  LedgerHost ledger;
  ledger.see({first, second, process(3, "sh")});

  const auto& members = ledger["train"].members;
  CHECK(members.processes == 2);
  CHECK(members.threads == 9);
  CHECK(members.virtual_bytes == 5600);
  CHECK(members.resident_bytes == 2300);
  CHECK(members.swapped_bytes == 110);
  CHECK(members.open_files == 12);
  CHECK(members.oldest_start_ticks == 200);
  CHECK(ledger["sh"].members.processes == 1);

  ledger.see({second});
  CHECK(ledger["train"].members.processes == 1);
  CHECK(ledger["train"].members.open_files == 7);
  CHECK(ledger["sh"].members.processes == 0);
  CHECK_FALSE(ledger["sh"].members.oldest_start_ticks);
}

TEST_CASE("states are those of process-exporter") {
  std::vector<ProcessSample> processes;
  for (const char letter : std::string("RSSDDDZZZZTtIXP")) {
    auto one = process(static_cast<std::int32_t>(processes.size()) + 1, "any");
    one.state = letter;
    processes.push_back(one);
  }
  LedgerHost ledger;
  ledger.see(processes);
  CHECK(ledger["any"].members.in_state == std::array<std::uint64_t, 5>{1, 2, 3, 4, 5});
}

TEST_CASE("what could not be read is absent, not 0") {
  LedgerHost ledger;
  ledger.see({process(1, "root's")});
  CHECK_FALSE(is_readable(ledger["root\'s"], Count::read_bytes));
  CHECK_FALSE(ledger["root's"].members.open_files);

  auto readable = with_io(process(2, "root's"), 0, 0);
  readable.open_files = 0;
  ledger.see({process(1, "root's"), readable});
  CHECK(is_readable(ledger["root\'s"], Count::read_bytes));
  CHECK(ledger["root's"].members.open_files == 0);

  ledger.see({process(1, "root's")});
  CHECK(is_readable(ledger["root\'s"], Count::read_bytes));
  CHECK_FALSE(ledger["root's"].members.open_files);
}

TEST_CASE("all that a process used before it was first seen counts, later what it added") {
  auto one = with_io(process(1, "train", 500), 6000, 7000);
  one.use.cpu_ns += 50 * tests::kTickNs;
  one.use.set(Count::minor_faults, 40);
  one.use.set(Count::major_faults, 30);
  LedgerHost ledger;
  ledger.see({one});
  ledger.see({one});
  auto other = with_io(process(2, "train", 9), 10, 20);
  one.use.user_ns += 3 * tests::kTickNs;
  one.use.cpu_ns += 3 * tests::kTickNs;
  ledger.see({one, other});

  const auto& group = ledger["train"];
  CHECK(group.totals.user_ns == 512 * tests::kTickNs);
  CHECK(group.totals.cpu_ns == 562 * tests::kTickNs);
  CHECK(count_of(group, Count::minor_faults) == 40);
  CHECK(count_of(group, Count::major_faults) == 30);
  CHECK(count_of(group, Count::read_bytes) == 6010);
  CHECK(count_of(group, Count::write_bytes) == 7020);
}

TEST_CASE("a group keeps what its dead processes used") {
  LedgerHost ledger;
  ledger.see({process(1, "cc1plus", 500), process(2, "cc1plus", 70)});
  ledger.see({process(2, "cc1plus", 80)});
  CHECK(ledger.cpu_ticks("cc1plus") == 580);
  ledger.see({});
  CHECK(ledger.cpu_ticks("cc1plus") == 580);
  ledger.see({process(2, "cc1plus", 80)});  // the dead are forgotten: this one is new
  CHECK(ledger.cpu_ticks("cc1plus") == 660);
}

TEST_CASE("the same pid with another start time is another process") {
  auto young = process(1, "sh", 30);
  young.basics.identity.start_ticks = 2000;
  LedgerHost ledger;
  ledger.see({process(1, "sh", 500)}).see({young});
  CHECK(ledger.cpu_ticks("sh") == 530);
  CHECK(ledger["sh"].members.processes == 1);
}

TEST_CASE("a value that steps back and recovers is not counted twice") {
  LedgerHost ledger;
  ledger.see({process(1, "sh", 100)}).see({process(1, "sh", 90)});
  CHECK(ledger.cpu_ticks("sh") == 100);
  ledger.see({process(1, "sh", 100)});
  CHECK(ledger.cpu_ticks("sh") == 100);
  ledger.see({process(1, "sh", 101)});
  CHECK(ledger.cpu_ticks("sh") == 101);
}

TEST_CASE("io that cannot be read for a while is counted once") {
  LedgerHost ledger;
  ledger.see({with_io(process(1, "su"), 100, 0)});
  ledger.see({process(1, "su")});
  ledger.see({with_io(process(1, "su"), 150, 0)});
  CHECK(count_of(ledger["su"], Count::read_bytes) == 150);
}

TEST_CASE("a process that changes its name takes along nothing that was counted") {
  LedgerHost ledger;
  ledger.see({process(1, "sh", 100)}).see({process(1, "python", 130)});
  CHECK(ledger.cpu_ticks("sh") == 100);
  CHECK(ledger["sh"].members.processes == 0);
  CHECK(ledger.cpu_ticks("python") == 30);
  CHECK(ledger["python"].members.processes == 1);

  ledger.see({process(1, "sh", 131)});
  CHECK(ledger.cpu_ticks("sh") == 101);
  CHECK(ledger.cpu_ticks("python") == 30);
}

TEST_CASE("a process that was listed but not read is neither forgotten nor counted anew") {
  LedgerHost ledger;
  ledger.see({process(1, "sh", 100), process(2, "sh", 7)});
  ledger.see_but({process(2, "sh", 7)}, {1});
  CHECK(ledger["sh"].members.processes == 1);
  ledger.see({process(1, "sh", 110), process(2, "sh", 7)});
  CHECK(ledger.cpu_ticks("sh") == 117);
}

TEST_CASE("a group is kept while one of its processes is listed but not read") {
  LedgerHost ledger;
  ledger.see({process(1, "sh", 100), process(2, "init")});
  for (int walk = 0; walk < 20; ++walk) ledger.see_but({process(2, "init")}, {1, 99});
  ledger.see({process(1, "sh", 110), process(2, "init")});
  CHECK(ledger.cpu_ticks("sh") == 110);
}

TEST_CASE("the names with most CPU time get the places of the first walk") {
  auto in_kernel = process(4, "d");
  in_kernel.use.cpu_ns = 25 * tests::kTickNs;
  LedgerHost ledger({.max_groups = 2});
  ledger.see({process(1, "a", 10), process(2, "b", 20), process(3, "c", 12), in_kernel,
              process(5, "a", 11)});
  CHECK(ledger.names() == Names{"a", "d", "other"});
  CHECK(ledger.cpu_ticks("a") == 21);
  CHECK(ledger.cpu_ticks("other") == 32);
  CHECK(ledger["other"].members.processes == 2);
}

TEST_CASE("after the first walk whoever comes first gets a free place") {
  LedgerHost ledger({.max_groups = 2});
  ledger.see({process(1, "a", 1)});
  ledger.see({process(1, "a", 1), process(2, "b", 1), process(3, "c", 1000)});
  CHECK(ledger.names() == Names{"a", "b", "other"});
  CHECK(ledger.cpu_ticks("other") == 1000);
}

TEST_CASE("a group without members is dropped after its time and frees its place") {
  LedgerHost ledger({.max_groups = 2});
  ledger.see({process(1, "a"), process(2, "b", 5)});
  ledger.wait(540).see({process(1, "a"), process(3, "c", 7)});
  CHECK(ledger.names() == Names{"a", "b", "other"});
  CHECK(ledger.cpu_ticks("b") == 5);

  ledger.see({process(1, "a"), process(3, "c", 8)});
  CHECK(ledger.names() == Names{"a", "c", "other"});
  CHECK(ledger["c"].members.processes == 1);

  ledger.see({process(1, "a"), process(3, "c", 9), process(4, "c", 40)});
  CHECK(ledger.cpu_ticks("c") == 41);
  CHECK(ledger.cpu_ticks("other") == 8);
}

TEST_CASE("a process in `other` leaves it by a change of name") {
  LedgerHost ledger({.max_groups = 2});
  ledger.see({process(1, "a", 2), process(2, "b", 1), process(3, "c")});
  ledger.see({process(1, "a", 2), process(2, "b", 1), process(3, "b", 6)});
  CHECK(ledger.cpu_ticks("b") == 7);
  CHECK(ledger["other"].members.processes == 0);
}

TEST_CASE("`other` stays for ever, and takes no place") {
  LedgerHost ledger({.max_groups = 1});
  ledger.see({process(1, "a", 2), process(2, "b", 1)});
  for (int walk = 0; walk < 20; ++walk) ledger.see({});
  CHECK(ledger.names() == Names{"other"});
  ledger.see({process(3, "c")});
  CHECK(ledger.names() == Names{"c", "other"});
  CHECK(ledger.cpu_ticks("other") == 1);
}

TEST_CASE("a process that is called other shares the group of that name") {
  LedgerHost ledger({.max_groups = 1});
  ledger.see({process(1, "other", 3), process(2, "a", 2), process(3, "b", 1)});
  CHECK(ledger.names() == Names{"a", "other"});
  CHECK(ledger.cpu_ticks("other") == 4);
}

TEST_CASE("names that look the same on a page are one group") {
  LedgerHost ledger;
  ledger.see({process(1, "caf\xc3", 1), process(2, "caf\xe9", 2), process(3, "caf\x01", 4),
              process(4, "caf\xc3\xa9", 8), process(5, "caf\n", 16)});
  CHECK(ledger.names() == Names{"caf\n", "caf\xc3\xa9", "caf\xef\xbf\xbd"});
  CHECK(ledger.cpu_ticks("caf\xef\xbf\xbd") == 7);
  LedgerHost one_place({.max_groups = 1});  // which they win together
  one_place.see({process(1, "caf\xc3", 6), process(2, "caf\xe9", 6), process(3, "b", 10)});
  CHECK(one_place.names() == Names{"caf\xef\xbf\xbd", "other"});
}

TEST_CASE("a process that did not run counts nothing, and keeps its memory") {
  auto rested = process(1, "train", 7);
  rested.memory = collectors::ProcessMemory{4096, 4096, 0, 4096};
  LedgerHost ledger({.seconds_between = 200});
  ledger.see({rested}).see({rested});
  rested.is_unchanged = true;
  rested.use.cpu_ns = 100 * tests::kTickNs;  // never looked at
  ledger.see({rested}).see({rested}).see({rested}).see({rested});
  CHECK(ledger.cpu_ticks("train") == 7);
  CHECK(ledger["train"].members.processes == 1);
  const auto peak = ledger["train"].memory_peak_bytes.at(ledger.now());
  REQUIRE(peak);
  CHECK(peak->value == 4096);
  CHECK(peak->time == ledger.now());
}

TEST_CASE("what did not run since a walk that missed it is counted") {
  auto rested = process(1, "?", 7);
  rested.is_unchanged = true;
  LedgerHost ledger;
  ledger.see({rested});
  ledger.resolver.knows_all = true;
  ledger.see({rested});
  CHECK(ledger.cpu_ticks("?") == 7);
  rested.use.cpu_ns = 9 * tests::kTickNs;
  ledger.see_but({}, {1}).see({rested});
  CHECK(ledger.cpu_ticks("?") == 9);
}
