// Processes that are in /proc and not in a walk.
#include <algorithm>
#include <catch2/catch.hpp>
#include <list>
#include <vector>

#include "collectors/process/hidden_processes.hpp"
#include "procfs/file_reader.hpp"
#include "tests/support/child.hpp"

using collectors::HiddenProcesses;
using collectors::ProcessWalkResult;
using Pids = std::vector<std::int32_t>;

namespace {

/// Hides all of /proc but what `shown` and `shown_again` have.
class HiddenFixture {
 public:
  void find(const Pids& hidden, const Pids& new_ones = {}) {
    Pids seen;
    REQUIRE(reader_.list(seen));
    const auto all = seen;
    std::erase_if(seen, [&](auto pid) {
      return std::ranges::count(hidden, pid) + std::ranges::count(new_ones, pid) > 0;
    });
    hidden_.find(seen, [&](Pids& pids) {
      pids = all;
      // Others come and go while the test runs: they are in the second walk.
      for (std::int32_t pid = 1; pid < 100'000; ++pid) {
        if (std::ranges::count(hidden, pid) == 0) pids.push_back(pid);
      }
      std::erase_if(pids, [&](auto pid) { return std::ranges::count(hidden, pid) > 0; });
    });
  }

  Pids added(bool is_page) {
    ProcessWalkResult walk;
    hidden_.add_to(walk, is_page);
    Pids pids;
    for (const auto& sample : walk.processes) pids.push_back(sample.basics.identity.pid);
    unread = walk.unread;
    return pids;
  }

  Pids unread;

 private:
  procfs::FileReader proc_ = *procfs::FileReader::open("/proc");
  procfs::ProcessReader reader_{proc_};
  HiddenProcesses hidden_{proc_, collectors::ProcUnits(procfs::this_system())};
};

}  // namespace

TEST_CASE("a process that no walk sees is read from /proc, also for a sample") {
  const tests::Child child("hidden");
  HiddenFixture host;
  host.find({child.pid()});
  const auto is_page = GENERATE(false, true);
  CHECK(host.added(is_page) == Pids{child.pid()});
}

TEST_CASE("a process that the second walk sees was made meanwhile, and is not hidden") {
  const tests::Child hidden("hidden");
  const tests::Child made("made");
  HiddenFixture host;
  host.find({hidden.pid()}, {made.pid()});
  CHECK(host.added(true) == Pids{hidden.pid()});
}

TEST_CASE("many hidden processes are read for pages alone") {
  std::list<tests::Child> children;
  Pids pids;
  for (int child = 0; child < 5; ++child) pids.push_back(children.emplace_back("hidden").pid());
  std::ranges::sort(pids);
  HiddenFixture host;
  host.find(pids);
  CHECK(host.added(false).empty());
  CHECK(host.unread == pids);
  CHECK(host.added(true) == pids);
}

TEST_CASE("a hidden process that is gone is not looked for again") {
  tests::Child child("hidden");
  HiddenFixture host;
  host.find({child.pid()});
  child.kill();
  child.reap();
  CHECK(host.added(true).empty());
  CHECK(host.unread.empty());
}
