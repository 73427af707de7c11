// What must hold in the ledger whatever processes do: 500 walks over processes that come, go, use
// time, change their names and cannot always be read.
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>

#include "collectors/process/groups.hpp"
#include "tests/support/fixture_host.hpp"

using collectors::ProcessGroup;
using collectors::ProcessGroups;

namespace {

constexpr std::size_t kMaxGroups = 4;
constexpr int kPids = 30;

/// Processes that live a random life, the same on every run, and what they really did.
class World {
 public:
  /// What a walk sees of the world once it has lived on a little.
  procfs::ProcessWalk next() {
    ++walks_;
    for (std::int32_t pid = 1; pid <= kPids; ++pid) {
      if (chance(20)) alive_.erase(pid);
      if (!alive_.contains(pid) && chance(20)) give_birth(pid);
    }
    procfs::ProcessWalk walk;
    threads_ = 0;
    for (auto& [pid, process] : alive_) {
      if (chance(10)) process.stat.comm = any_name();
      // What a process uses unread counts once it is read again, but never if it ends before.
      if (chance(10)) {
        walk.unread.push_back(pid);
        continue;
      }
      const auto ticks = random_() % 50;
      process.stat.user_ticks += ticks;
      process.stat.threads = 1 + random_() % 5;
      used_ticks_ += ticks;
      threads_ += process.stat.threads;
      walk.processes.push_back(process);
    }
    return walk;
  }

  [[nodiscard]] int walks() const { return walks_; }
  [[nodiscard]] std::uint64_t threads() const { return threads_; }
  [[nodiscard]] std::uint64_t used_ticks() const { return used_ticks_; }

 private:
  bool chance(unsigned percent) { return random_() % 100 < percent; }
  std::string any_name() { return std::to_string(random_() % 9); }
  void give_birth(std::int32_t pid) {
    procfs::Process process;
    process.stat.pid = pid;
    process.stat.comm = any_name();
    process.stat.start_time_ticks = static_cast<std::uint64_t>(walks_);
    alive_[pid] = process;
  }

  std::mt19937 random_{20260811};  // NOLINT(cert-msc51-cpp): the same on every run
  std::map<std::int32_t, procfs::Process> alive_;
  int walks_ = 0;
  std::uint64_t threads_ = 0;     // of those read by the last walk
  std::uint64_t used_ticks_ = 0;  // by all that were ever read
};

}  // namespace

TEST_CASE("whatever processes do, sums are conserved and counters never go back") {
  World world;
  ProcessGroups groups(kMaxGroups, std::chrono::hours(1000));
  std::map<std::string, std::uint64_t> before;
  while (world.walks() < 500) {
    const auto walk = world.next();
    groups.update(walk, tests::at_second(world.walks()));
    ProcessGroup sum;
    for (const auto& [name, group] : groups.by_name()) {
      sum.members.processes += group.members.processes;
      sum.members.threads += group.members.threads;
      sum.totals.user_ticks += group.totals.user_ticks;
      REQUIRE(group.totals.user_ticks >= before[name]);
      before[name] = group.totals.user_ticks;
    }
    REQUIRE(sum.members.processes == walk.processes.size());
    REQUIRE(sum.members.threads == world.threads());
    REQUIRE(sum.totals.user_ticks == world.used_ticks());
    REQUIRE(groups.by_name().size() <= kMaxGroups + 1);
  }
}

TEST_CASE("groups that come and go leave gauges conserved and `other` in place") {
  World world;
  ProcessGroups groups(kMaxGroups, std::chrono::seconds(3));
  std::uint64_t other_before = 0;
  int dropped = 0;
  while (world.walks() < 500) {
    const auto groups_before = groups.by_name();
    const auto walk = world.next();
    groups.update(walk, tests::at_second(world.walks()));
    std::uint64_t processes = 0;
    for (const auto& [name, group] : groups.by_name()) processes += group.members.processes;
    REQUIRE(processes == walk.processes.size());
    for (const auto& [name, group] : groups_before) {
      if (!groups.by_name().contains(name)) ++dropped;
    }
    const auto other = groups.by_name().find("other");
    if (other == groups.by_name().end()) continue;
    REQUIRE(other->second.totals.user_ticks >= other_before);
    other_before = other->second.totals.user_ticks;
  }
  CHECK(dropped > 0);
  CHECK(other_before > 0);
}
