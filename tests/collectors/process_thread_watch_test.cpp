#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "collectors/process/thread_watch.hpp"
#include "tests/support/ledger_host.hpp"
#include "tests/support/process_files.hpp"

using collectors::Count;
using collectors::ThreadWatch;
using collectors::WalkFor;
using tests::at_second;

namespace {

using namespace std::chrono_literals;

/// Processes of two threads each, "main" and "load", and a clock that shows 1 ms more each time.
class WatchedHost {
 public:
  explicit WatchedHost(ThreadWatch::Limits limits = {})
      : watch(host_.host, limits, [this] { return clock_ += 1ms; }) {}

  WatchedHost& add(int pid, int ticks, const std::string& wait_channel = "futex_wait") {
    auto sample = tests::process(pid, "train");
    sample.threads = 2;
    walk.processes.push_back(sample);
    return write(pid, ticks, wait_channel);
  }
  WatchedHost& write(int pid, int ticks, const std::string& wait_channel = "futex_wait") {
    write_thread(tree_, pid, {.tid = pid, .comm = "main", .user_ticks = ticks, .threads = 2});
    write_thread(tree_, pid,
                 {.tid = pid + 1,
                  .comm = "load",
                  .user_ticks = ticks,
                  .threads = 2,
                  .voluntary_switches = 5,
                  .wait_channel = wait_channel});
    return *this;
  }
  /// "name, alive, ticks" for each name, and the wait channels.
  std::string page(double second = 0) {
    seen = walk;
    watch.look(WalkFor::page, seen, at_second(second));
    ledger_.take({}, seen, WalkFor::page, at_second(second));
    watch.account(ledger_, seen, at_second(second));
    std::string text;
    for (const auto& [key, group] : ledger_.groups().by_key()) {
      for (const auto& [name, threads] : group.threads) {
        text += name + " " + std::to_string(threads.count) + " " +
                std::to_string(threads.totals.user_ns / tests::kTickNs) + "\n";
      }
      for (const auto& [name, count] : group.wait_channels) {
        text += name + " " + std::to_string(count) + "\n";
      }
    }
    return text;
  }
  tests::FileTree& tree() { return tree_; }

  collectors::ProcessWalkResult walk;  ///< As the source gives it each time.
  collectors::ProcessWalkResult seen;  ///< As the ledger gets it.

 private:
  tests::FileTree tree_;
  tests::FixtureHost host_{tree_.path()};
  std::chrono::nanoseconds clock_{};
  tests::ByComm resolver_;
  collectors::ProcessLedger ledger_{resolver_, {.groups = {}, .window = 5min}};

 public:
  ThreadWatch watch;
};

}  // namespace

TEST_CASE("threads are read from their files") {
  WatchedHost host;
  host.add(10, 3).add(20, 4);
  CHECK(host.page() == "load 2 7\nmain 2 7\nfutex_wait 2\n");
  // 50 ticks in the kernel, in every file
  const auto& use = host.seen.processes.front().use;
  CHECK(use.get(Count::voluntary_switches) == 5);
  CHECK(use.get(Count::involuntary_switches) == 14);
  host.write(10, 5);
  CHECK(host.page() == "load 2 9\nmain 2 9\nfutex_wait 2\n");
}

TEST_CASE("of a process with a single thread only the wait channel is read") {
  WatchedHost host;
  host.walk.processes.push_back(tests::process(10, "train", 6));
  host.tree().write("proc/10/wchan", "do_wait");
  CHECK(host.page() == "train 1 6\ndo_wait 1\n");
}

TEST_CASE("threads are not those of another process that has the pid now") {
  WatchedHost host;
  host.add(10, 3);
  host.walk.processes.front().basics.identity.start_ticks = 999;
  CHECK(host.page().empty());
  CHECK(host.watch.cuts().unreadable == 0);
}

TEST_CASE("what a page has no time for it has from before, and the next one begins there") {
  WatchedHost host({.page_cpu = 3ms});  // two processes, at a look at the clock each
  for (const int pid : {10, 20, 30, 40}) host.add(pid, 1);
  CHECK(host.page() == "load 2 2\nmain 2 2\nfutex_wait 2\n");
  CHECK(host.watch.cuts().time == 4);
  for (const int pid : {10, 20, 30, 40}) host.write(pid, 2);
  CHECK(host.page() == "load 4 6\nmain 4 6\nfutex_wait 4\n");
  CHECK(host.watch.cuts().time == 8);
  CHECK(host.page() == "load 4 8\nmain 4 8\nfutex_wait 4\n");
}

TEST_CASE("samples are read as often as they may cost, and cut nothing") {
  WatchedHost host({.sample_cpu = 2ms, .sample_share = 0.01});
  host.add(10, 1).add(20, 1);
  host.seen = host.walk;
  host.watch.look(WalkFor::sample, host.seen, at_second(0));  // 4 ms by the clock: 0.4 s
  const auto switches = [&](double second) {
    host.tree().write("proc/10/task/11/status",
                      "Threads:\t2\nvoluntary_ctxt_switches:\t9\nnonvoluntary_ctxt_switches:\t7\n");
    host.seen = host.walk;
    host.watch.look(WalkFor::sample, host.seen, at_second(second));
    return host.seen.processes.front().use.get(Count::voluntary_switches);
  };
  CHECK(switches(0.2) == 5);
  CHECK(switches(10) == 5);  // begins with the other one
  CHECK(switches(20) == 9);
  CHECK(host.watch.cuts().time == 0);
}

TEST_CASE("threads beyond the limits are counted") {
  const auto [what, limits, page, cut] =
      GENERATE(table<std::string, ThreadWatch::Limits, std::string, std::uint64_t>({
          {"of a process", {.of_a_process = 1}, "main 2 2\n", 2},
          {"of all", {.threads = 3}, "load 1 1\nmain 2 2\nfutex_wait 1\n", 1},
      }));
  INFO(what);
  WatchedHost host(limits);
  host.add(10, 1).add(20, 1);
  CHECK(host.page() == page);
  CHECK(host.watch.cuts().limit == cut);
  CHECK(host.page() == page);
  CHECK(host.watch.cuts().limit == 2 * cut);
}

TEST_CASE("a process with damaged threads is said to be, one that is gone is not") {
  WatchedHost host;
  host.add(10, 1).add(20, 1);
  host.tree().write("proc/10/task/11/stat", "11 (dam");
  host.tree().remove("proc/20");
  CHECK(host.page().empty());
  CHECK(host.watch.cuts().unreadable == 2);
}

TEST_CASE("threads are not read when none of them ran") {
  WatchedHost host;
  host.add(10, 1);
  auto& use = host.walk.processes.front().use;
  use.set(Count::voluntary_switches, 1);
  host.page();
  host.write(10, 9);
  CHECK(host.page() == "load 1 1\nmain 1 1\nfutex_wait 1\n");
  ++use.cpu_ns;
  CHECK(host.page() == "load 1 9\nmain 1 9\nfutex_wait 1\n");
}

TEST_CASE("a process that could not be read this time is not met anew") {
  WatchedHost host;
  host.add(10, 3).add(20, 4);
  host.page();
  const auto whole = host.walk;
  host.walk.processes.pop_back();
  host.walk.unread = {20};
  host.page();
  host.walk = whole;
  CHECK(host.page() == "load 2 7\nmain 2 7\nfutex_wait 2\n");
}
