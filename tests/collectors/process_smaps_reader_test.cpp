#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "collectors/process/smaps_reader.hpp"
#include "procfs/process_reader.hpp"
#include "tests/support/ledger_host.hpp"
#include "tests/support/process_files.hpp"

using collectors::SmapsReader;

namespace {

using namespace std::chrono_literals;

/// Long enough for a file or two on whichever machine.
constexpr SmapsReader::Limits kAmple{.cpu_per_page = 60s, .patience = 60s};

class SmapsHost {
 public:
  /// A process with so much memory, of which it shares half with another.
  void add(int pid, std::uint64_t resident_kb) {
    auto sample = tests::process(pid, "train");
    sample.memory.emplace().resident_bytes = resident_kb * 1024;
    walk.processes.push_back(sample);
    write(pid, resident_kb / 2);
  }
  void write(int pid, std::uint64_t kb) {
    const auto folder = "proc/" + std::to_string(pid);
    tree.write(folder + "/smaps_rollup", "Pss: " + std::to_string(kb) + " kB\nSwapPss: 1 kB\n");
    tree.write(folder + "/stat", tests::stat_of({.tid = pid, .comm = "train"}));
  }
  /// kB of each process, "-" where there is none.
  std::string complete(SmapsReader& reader) {
    for (auto& process : walk.processes) process.proportional.reset();
    reader.complete(walk);
    std::string text;
    for (const auto& process : walk.processes) {
      const auto& memory = process.proportional;
      text += (memory ? std::to_string(memory->resident_bytes / 1024) : "-") + " ";
    }
    return text;
  }
  [[nodiscard]] procfs::FileReader proc() const { return tests::open_mount(tree.path() / "proc"); }

  tests::FileTree tree;
  collectors::ProcessWalkResult walk;
};

/// Every file costs 10 ms, by this clock.
collectors::CpuClock steps_of_10_ms() {
  return [now = 0ns]() mutable { return now += 10ms; };
}

}  // namespace

TEST_CASE("proportional memory is read for those that have memory") {
  SmapsHost host;
  host.add(10, 80);
  host.add(20, 40);
  host.walk.processes.push_back(tests::process(2, "kthreadd"));
  SmapsReader reader(host.proc(), kAmple);
  CHECK(host.complete(reader) == "40 20 - ");
  CHECK(host.walk.processes[0].proportional->swapped_bytes == 1024);
  host.write(10, 41);
  CHECK(host.complete(reader) == "41 20 - ");
  CHECK(reader.cuts().time == 0);
  CHECK(reader.cuts().unreadable == 0);
}

TEST_CASE("what cannot be read is absent, and damage counted") {
  SmapsHost host;
  for (const int pid : {10, 20, 30}) host.add(pid, 80);
  SmapsReader reader(host.proc(), kAmple);
  CHECK(host.complete(reader) == "40 40 40 ");
  host.tree.write("proc/10/smaps_rollup", "Pss:");
  host.tree.remove("proc/20/smaps_rollup");
  host.tree.write("proc/30/stat", tests::stat_of({.tid = 30, .comm = "x", .start_ticks = 7}));
  CHECK(host.complete(reader) == "- - - ");
  CHECK(reader.cuts().unreadable == 1);
  CHECK(reader.cuts().time == 0);
}

TEST_CASE("a page has so much CPU time: small ones first, then whoever waited longest") {
  SmapsHost host;
  host.add(10, 800);
  host.add(20, 40);
  host.add(30, 60);
  SmapsReader reader(host.proc(), {.cpu_per_page = 11ms, .patience = 60s}, steps_of_10_ms());
  CHECK(host.complete(reader) == "- 20 30 ");  // a debt of 9 ms
  CHECK(reader.cuts().time == 1);
  for (const int pid : {10, 20, 30}) host.write(pid, 1);
  CHECK(host.complete(reader) == "1 20 30 ");  // of 8 ms
  host.add(40, 2);
  CHECK(host.complete(reader) == "1 1 30 - ");
  CHECK(reader.cuts().time == 6);
}

TEST_CASE("a process that took more than its page had leaves nothing for the next ones") {
  SmapsHost host;
  host.add(10, 40);
  SmapsReader reader(host.proc(), {.cpu_per_page = 4ms, .patience = 60s}, steps_of_10_ms());
  CHECK(host.complete(reader) == "20 ");
  host.write(10, 21);
  CHECK(host.complete(reader) == "20 ");
  CHECK(host.complete(reader) == "21 ");
  CHECK(reader.cuts().time == 1);
}

TEST_CASE("a page does not wait for a process that is stuck") {
  SmapsHost host;
  host.add(10, 40);
  host.add(20, 60);
  std::promise<void> release;
  const auto released = release.get_future().share();
  const auto stuck = [released] {
    released.wait();
    return 0ns;
  };
  SmapsReader reader(host.proc(), {.cpu_per_page = 60s, .patience = 1ms}, stuck);
  CHECK(host.complete(reader) == "- - ");
  CHECK(reader.cuts().time == 2);
  CHECK(host.complete(reader) == "- - ");
  release.set_value();
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (host.complete(reader) != "20 30 ") REQUIRE(std::chrono::steady_clock::now() < deadline);
}

TEST_CASE("a reader that is stuck can be left behind") {
  SmapsHost host;
  host.add(10, 40);
  std::promise<void> release;
  const auto released = release.get_future().share();
  {
    SmapsReader reader(host.proc(), {.cpu_per_page = 60s, .patience = 1ms}, [released] {
      released.wait();
      return 0ns;
    });
    host.complete(reader);
  }
  release.set_value();
}

TEST_CASE("a new process of a pid has nothing of the old one") {
  SmapsHost host;
  host.add(10, 40);
  SmapsReader reader(host.proc(), {.cpu_per_page = 4ms, .patience = 60s}, steps_of_10_ms());
  CHECK(host.complete(reader) == "20 ");
  host.walk.processes[0].basics.identity.start_ticks = 5000;
  CHECK(host.complete(reader) == "- ");
}

TEST_CASE("our own memory is shared out", "[live]") {
  collectors::ProcessWalkResult walk;
  auto proc = tests::open_mount("/proc");
  const auto own = procfs::ProcessReader(proc).read_stat(::getpid());
  REQUIRE(own);
  auto sample = tests::process(::getpid(), "self");
  sample.basics.identity.start_ticks = own->start_time_ticks;
  sample.memory.emplace();
  walk.processes.push_back(sample);
  SmapsReader reader(proc, kAmple);
  reader.complete(walk);
  const auto& memory = walk.processes.front().proportional;
  if (!memory) {
    WARN("no smaps_rollup here");
    return;
  }
  CHECK(memory->resident_bytes > 0);
}
