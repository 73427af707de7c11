#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "collectors/process/groups.hpp"
#include "tests/support/fixture_host.hpp"

using collectors::ProcessGroup;
using collectors::ProcessGroups;
using procfs::Process;
using procfs::ProcessIo;
using procfs::ProcessWalk;
using tests::at_second;

namespace {

using Names = std::vector<std::string>;

constexpr auto kKeepEmpty = std::chrono::seconds(600);

Process process(std::int32_t pid, const std::string& comm, std::uint64_t user_ticks = 0) {
  Process result;
  result.stat.pid = pid;
  result.stat.comm = comm;
  result.stat.state = 'S';
  result.stat.threads = 1;
  result.stat.user_ticks = user_ticks;
  result.stat.start_time_ticks = 1000;
  return result;
}

Process with_io(Process process, std::uint64_t read_bytes, std::uint64_t write_bytes) {
  process.io = ProcessIo{read_bytes, write_bytes};
  return process;
}

/// Groups that get a walk every minute.
class Ledger {
 public:
  explicit Ledger(std::size_t max_groups = 100) : groups_(max_groups, kKeepEmpty) {}

  Ledger& see(std::vector<Process> processes, std::vector<std::int32_t> unread = {}) {
    ProcessWalk walk;
    walk.processes = std::move(processes);
    walk.unread = std::move(unread);
    second_ += 60;
    groups_.update(walk, at_second(second_));
    return *this;
  }
  /// The next walk comes so much later than it should.
  Ledger& wait(double seconds) {
    second_ += seconds;
    return *this;
  }

  [[nodiscard]] const ProcessGroup& operator[](const std::string& name) const {
    INFO(name);
    const auto found = groups_.by_name().find(name);
    REQUIRE(found != groups_.by_name().end());
    return found->second;
  }
  [[nodiscard]] Names names() const {
    Names names;
    for (const auto& [name, group] : groups_.by_name()) names.push_back(name);
    return names;
  }

 private:
  ProcessGroups groups_;
  double second_ = 0;
};

}  // namespace

TEST_CASE("a group sums what its members hold now") {
  auto first = process(1, "train");
  first.stat.state = 'R';
  first.stat.threads = 8;
  first.stat.virtual_bytes = 5000;
  first.stat.start_time_ticks = 300;
  first.status = {2000, 100};
  first.open_files = 5;
  auto second = process(2, "train");
  second.stat.threads = 1;
  second.stat.virtual_bytes = 600;
  second.stat.start_time_ticks = 200;
  second.status = {300, 10};
  second.open_files = 7;
  Ledger ledger;
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
  std::vector<Process> processes;
  for (const char letter : std::string("RSSDDDZZZZTtIXP")) {
    auto one = process(static_cast<std::int32_t>(processes.size()) + 1, "any");
    one.stat.state = letter;
    processes.push_back(one);
  }
  Ledger ledger;
  ledger.see(processes);
  CHECK(ledger["any"].members.in_state == std::array<std::uint64_t, 5>{1, 2, 3, 4, 5});
}

TEST_CASE("what could not be read is absent, not 0") {
  Ledger ledger;
  ledger.see({process(1, "root's")});
  CHECK_FALSE(ledger["root's"].has_io);
  CHECK_FALSE(ledger["root's"].members.open_files);

  auto readable = with_io(process(2, "root's"), 0, 0);
  readable.open_files = 0;
  ledger.see({process(1, "root's"), readable});
  CHECK(ledger["root's"].has_io);
  CHECK(ledger["root's"].members.open_files == 0);

  ledger.see({process(1, "root's")});
  CHECK(ledger["root's"].has_io);
  CHECK_FALSE(ledger["root's"].members.open_files);
}

TEST_CASE("all that a process used before it was first seen counts, later what it added") {
  auto one = with_io(process(1, "train", 500), 6000, 7000);
  one.stat.system_ticks = 50;
  one.stat.minor_faults = 40;
  one.stat.major_faults = 30;
  Ledger ledger;
  ledger.see({one});
  ledger.see({one});
  auto other = with_io(process(2, "train", 9), 10, 20);
  one.stat.user_ticks += 3;
  ledger.see({one, other});

  const auto& totals = ledger["train"].totals;
  CHECK(totals.user_ticks == 512);
  CHECK(totals.system_ticks == 50);
  CHECK(totals.minor_faults == 40);
  CHECK(totals.major_faults == 30);
  CHECK(totals.read_bytes == 6010);
  CHECK(totals.write_bytes == 7020);
}

TEST_CASE("a group keeps what its dead processes used") {
  Ledger ledger;
  ledger.see({process(1, "cc1plus", 500), process(2, "cc1plus", 70)});
  ledger.see({process(2, "cc1plus", 80)});
  CHECK(ledger["cc1plus"].totals.user_ticks == 580);
  ledger.see({});
  CHECK(ledger["cc1plus"].totals.user_ticks == 580);
  ledger.see({process(2, "cc1plus", 80)});  // the dead are forgotten: this one is new
  CHECK(ledger["cc1plus"].totals.user_ticks == 660);
}

TEST_CASE("the same pid with another start time is another process") {
  auto young = process(1, "sh", 30);
  young.stat.start_time_ticks = 2000;
  Ledger ledger;
  ledger.see({process(1, "sh", 500)}).see({young});
  CHECK(ledger["sh"].totals.user_ticks == 530);
  CHECK(ledger["sh"].members.processes == 1);
}

TEST_CASE("a value that steps back and recovers is not counted twice") {
  Ledger ledger;
  ledger.see({process(1, "sh", 100)}).see({process(1, "sh", 90)});
  CHECK(ledger["sh"].totals.user_ticks == 100);
  ledger.see({process(1, "sh", 100)});
  CHECK(ledger["sh"].totals.user_ticks == 100);
  ledger.see({process(1, "sh", 101)});
  CHECK(ledger["sh"].totals.user_ticks == 101);
}

TEST_CASE("io that cannot be read for a while is counted once") {
  Ledger ledger;
  ledger.see({with_io(process(1, "su"), 100, 0)});
  ledger.see({process(1, "su")});
  ledger.see({with_io(process(1, "su"), 150, 0)});
  CHECK(ledger["su"].totals.read_bytes == 150);
}

TEST_CASE("a process that changes its name takes along nothing that was counted") {
  Ledger ledger;
  ledger.see({process(1, "sh", 100)}).see({process(1, "python", 130)});
  CHECK(ledger["sh"].totals.user_ticks == 100);
  CHECK(ledger["sh"].members.processes == 0);
  CHECK(ledger["python"].totals.user_ticks == 30);
  CHECK(ledger["python"].members.processes == 1);

  ledger.see({process(1, "sh", 131)});
  CHECK(ledger["sh"].totals.user_ticks == 101);
  CHECK(ledger["python"].totals.user_ticks == 30);
}

TEST_CASE("a process that was listed but not read is neither forgotten nor counted anew") {
  Ledger ledger;
  ledger.see({process(1, "sh", 100), process(2, "sh", 7)});
  ledger.see({process(2, "sh", 7)}, {1});
  CHECK(ledger["sh"].members.processes == 1);
  ledger.see({process(1, "sh", 110), process(2, "sh", 7)});
  CHECK(ledger["sh"].totals.user_ticks == 117);
}

TEST_CASE("a group is kept while one of its processes is listed but not read") {
  Ledger ledger;
  ledger.see({process(1, "sh", 100), process(2, "init")});
  for (int walk = 0; walk < 20; ++walk) ledger.see({process(2, "init")}, {1, 99});
  ledger.see({process(1, "sh", 110), process(2, "init")});
  CHECK(ledger["sh"].totals.user_ticks == 110);
}

TEST_CASE("the names with most CPU time get the places of the first walk") {
  auto in_kernel = process(4, "d");
  in_kernel.stat.system_ticks = 25;
  Ledger ledger(2);
  ledger.see({process(1, "a", 10), process(2, "b", 20), process(3, "c", 12), in_kernel,
              process(5, "a", 11)});
  CHECK(ledger.names() == Names{"a", "d", "other"});
  CHECK(ledger["a"].totals.user_ticks == 21);
  CHECK(ledger["other"].totals.user_ticks == 32);
  CHECK(ledger["other"].members.processes == 2);
}

TEST_CASE("after the first walk whoever comes first gets a free place") {
  Ledger ledger(2);
  ledger.see({process(1, "a", 1)});
  ledger.see({process(1, "a", 1), process(2, "b", 1), process(3, "c", 1000)});
  CHECK(ledger.names() == Names{"a", "b", "other"});
  CHECK(ledger["other"].totals.user_ticks == 1000);
}

TEST_CASE("a group without members is dropped after its time and frees its place") {
  Ledger ledger(2);
  ledger.see({process(1, "a"), process(2, "b", 5)});
  ledger.wait(kKeepEmpty.count() - 60).see({process(1, "a"), process(3, "c", 7)});
  CHECK(ledger.names() == Names{"a", "b", "other"});
  CHECK(ledger["b"].totals.user_ticks == 5);

  ledger.see({process(1, "a"), process(3, "c", 8)});
  CHECK(ledger.names() == Names{"a", "other"});

  ledger.see({process(1, "a"), process(3, "c", 9), process(4, "c", 40)});
  CHECK(ledger.names() == Names{"a", "c", "other"});
  CHECK(ledger["c"].totals.user_ticks == 40);
  CHECK(ledger["other"].totals.user_ticks == 9);
}

TEST_CASE("a process in `other` leaves it by a change of name") {
  Ledger ledger(2);
  ledger.see({process(1, "a", 2), process(2, "b", 1), process(3, "c")});
  ledger.see({process(1, "a", 2), process(2, "b", 1), process(3, "b", 6)});
  CHECK(ledger["b"].totals.user_ticks == 7);
  CHECK(ledger["other"].members.processes == 0);
}

TEST_CASE("`other` stays for ever, and takes no place") {
  Ledger ledger(1);
  ledger.see({process(1, "a", 2), process(2, "b", 1)});
  for (int walk = 0; walk < 20; ++walk) ledger.see({});
  CHECK(ledger.names() == Names{"other"});
  ledger.see({process(3, "c")});
  CHECK(ledger.names() == Names{"c", "other"});
  CHECK(ledger["other"].totals.user_ticks == 1);
}

TEST_CASE("a process that is called other shares the group of that name") {
  Ledger ledger(1);
  ledger.see({process(1, "other", 3), process(2, "a", 2), process(3, "b", 1)});
  CHECK(ledger.names() == Names{"a", "other"});
  CHECK(ledger["other"].totals.user_ticks == 4);
}

TEST_CASE("names that look the same on a page are one group") {
  Ledger ledger;
  ledger.see({process(1, "caf\xc3", 1), process(2, "caf\xe9", 2), process(3, "caf\x01", 4),
              process(4, "caf\xc3\xa9", 8), process(5, "caf\n", 16)});
  CHECK(ledger.names() == Names{"caf\n", "caf\xc3\xa9", "caf\xef\xbf\xbd"});
  CHECK(ledger["caf\xef\xbf\xbd"].totals.user_ticks == 7);
  Ledger one_place(1);  // which they win together
  one_place.see({process(1, "caf\xc3", 6), process(2, "caf\xe9", 6), process(3, "b", 10)});
  CHECK(one_place.names() == Names{"caf\xef\xbf\xbd", "other"});
}
