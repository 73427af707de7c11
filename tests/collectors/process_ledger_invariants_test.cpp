// What must hold in the ledger whatever processes do: 500 walks over processes that come, go, use
// time, change their names, cannot always be read, and whose exits are told sooner or later, or in
// a sum.
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/support/ledger_host.hpp"

using collectors::GroupTable;
using collectors::ProcessExits;
using collectors::ProcessLedger;
using collectors::ProcessSample;
using collectors::ProcessWalkResult;

namespace {

constexpr std::size_t kMaxGroups = 4;
constexpr int kPids = 30;

/// Processes that live a random life, the same on every run, and what they really did.
class World {
 public:
  /// The world lives on a little. What a walk then sees of it, and what is told of the dead.
  void live(ProcessExits& exits, ProcessWalkResult& walk) {
    ++walks_;
    exits = std::move(late_);
    late_ = {};
    walk = {};
    for (std::int32_t pid = 1; pid <= kPids; ++pid) {
      if (alive_.contains(pid) && chance(20)) die(pid, exits);
      if (!alive_.contains(pid) && chance(20)) give_birth(pid);
      if (chance(5)) live_unseen(exits);
    }
    threads_ = 0;
    for (auto& [pid, process] : alive_) {
      if (chance(10)) process.basics.comm = any_name();
      use(process);
      if (chance(10)) {
        walk.unread.push_back(pid);
        continue;
      }
      process.threads = 1 + static_cast<std::uint32_t>(random_() % 5);
      threads_ += process.threads;
      walk.processes.push_back(process);
    }
    std::shuffle(walk.processes.begin(), walk.processes.end(), random_);
  }
  /// All live on without doing anything, and all that was not told yet is.
  void rest(ProcessExits& exits, ProcessWalkResult& walk) {
    ++walks_;
    exits = std::exchange(late_, {});
    walk = {};
    threads_ = 0;
    for (auto& [pid, process] : alive_) {
      threads_ += process.threads;
      walk.processes.push_back(process);
    }
  }

  [[nodiscard]] int walks() const { return walks_; }
  [[nodiscard]] std::uint64_t threads() const { return threads_; }
  [[nodiscard]] std::uint64_t used_ns() const { return used_ns_; }
  [[nodiscard]] std::uint64_t deaths() const { return deaths_; }

 private:
  bool chance(unsigned percent) { return random_() % 100 < percent; }
  collectors::Comm any_name() { return collectors::comm_of(std::to_string(random_() % 9)); }
  void use(ProcessSample& process) {
    const std::uint64_t more = random_() % 50;
    process.use.cpu_ns += more;
    used_ns_ += more;
  }
  ProcessSample made(std::int32_t pid) {
    ProcessSample process;
    process.basics.identity = {pid, static_cast<std::uint64_t>(walks_)};
    process.basics.comm = any_name();
    process.threads = 1;
    return process;
  }
  void give_birth(std::int32_t pid) { alive_[pid] = made(pid); }
  void live_unseen(ProcessExits& exits) {
    auto process = made(1000 + static_cast<std::int32_t>(random_() % 10'000'000));
    use(process);
    ++deaths_;
    tell(process, exits);
  }
  void die(std::int32_t pid, ProcessExits& exits) {
    auto process = alive_[pid];
    alive_.erase(pid);
    use(process);
    ++deaths_;
    tell(process, exits);
  }
  void tell(const ProcessSample& process, ProcessExits& exits) {
    collectors::ProcessExit exit;
    exit.basics = process.basics;
    exit.use = process.use;
    if (chance(60)) {
      exits.exits.push_back(exit);
    } else if (chance(50)) {
      late_.exits.push_back(exit);
    } else {
      collectors::ExitSum sum;
      sum.comm = process.basics.comm;
      sum.exits[0] = 1;
      sum.use = process.use;
      (chance(50) ? exits : late_).sums.push_back(sum);
    }
  }

  std::mt19937 random_{20260811};  // NOLINT(cert-msc51-cpp): the same on every run
  std::map<std::int32_t, ProcessSample> alive_;
  ProcessExits late_;
  int walks_ = 0;
  std::uint64_t threads_ = 0;  // of those read by the last walk
  std::uint64_t used_ns_ = 0;  // by all that ever were
  std::uint64_t deaths_ = 0;
};

struct Sums {
  std::uint64_t processes = 0, threads = 0, cpu_ns = 0, exits = 0;
};

Sums sums_of(const GroupTable& groups) {
  Sums sums;
  for (const auto& [key, group] : groups.by_key()) {
    sums.processes += group.members.processes;
    sums.threads += group.members.threads;
    sums.cpu_ns += group.totals.cpu_ns;
    sums.exits += group.exited[0];
  }
  return sums;
}

}  // namespace

TEST_CASE("whatever processes do, sums are conserved and counters never go back") {
  World world;
  tests::ByComm resolver;
  ProcessLedger ledger(resolver, {.groups = {kMaxGroups, std::chrono::hours(1000)},
                                  .window = std::chrono::minutes(5),
                                  .has_exits = true});
  ProcessExits exits;
  ProcessWalkResult walk;
  std::map<collectors::GroupKey, std::uint64_t> before;
  const auto take = [&] {
    ledger.take(exits, walk, collectors::WalkFor::page, tests::at_second(world.walks()));
    for (const auto& [key, group] : ledger.groups().by_key()) {
      REQUIRE(group.totals.cpu_ns >= before[key]);
      before[key] = group.totals.cpu_ns;
    }
    const auto sums = sums_of(ledger.groups());
    REQUIRE(sums.processes == walk.processes.size());
    REQUIRE(sums.threads == world.threads());
    REQUIRE(sums.cpu_ns <= world.used_ns());
    REQUIRE(ledger.attributed_cpu_ns() == sums.cpu_ns);
    REQUIRE(ledger.groups().by_key().size() <= kMaxGroups + 1);
  };
  while (world.walks() < 500) {
    world.live(exits, walk);
    take();
  }
  for (int walks = 0; walks < 30; ++walks) {
    world.rest(exits, walk);
    take();
  }
  const auto sums = sums_of(ledger.groups());
  CHECK(sums.cpu_ns == world.used_ns());
  CHECK(sums.exits == world.deaths());
  CHECK(ledger.untold_exits() == 0);
}

TEST_CASE("groups that come and go leave gauges conserved and `other` in place") {
  World world;
  tests::ByComm resolver;
  ProcessLedger ledger(resolver, {.groups = {kMaxGroups, std::chrono::seconds(3)},
                                  .window = std::chrono::minutes(5),
                                  .has_exits = true});
  ProcessExits exits;
  ProcessWalkResult walk;
  std::uint64_t other_before = 0;
  std::size_t dropped = 0;
  std::vector<collectors::GroupKey> keys_before;
  while (world.walks() < 500) {
    world.live(exits, walk);
    ledger.take(exits, walk, collectors::WalkFor::page, tests::at_second(world.walks()));
    const auto& groups = ledger.groups().by_key();
    REQUIRE(sums_of(ledger.groups()).processes == walk.processes.size());
    for (const auto& key : keys_before) {
      if (!groups.contains(key)) ++dropped;
    }
    keys_before.clear();
    for (const auto& [key, group] : groups) keys_before.push_back(key);
    const auto other = groups.find({std::string(GroupTable::kOtherGroup), {}});
    if (other == groups.end()) continue;
    REQUIRE(other->second.totals.cpu_ns >= other_before);
    other_before = other->second.totals.cpu_ns;
  }
  CHECK(dropped > 0);
  CHECK(other_before > 0);
}
