#include "netlink/exit_listener.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "netlink/process_exits.hpp"
#include "tests/support/child.hpp"
#include "tests/support/exits.hpp"

using metrics::Errc;
using netlink::ExitListener;
using netlink::ProcessExit;
using netlink::ProcessExits;
using netlink::TaskExit;
using tests::drain_all;
using tests::dropped_by;
using tests::kLargeBuffer;
using tests::open_or_skip;
using tests::possible_cpus;
using tests::run_brief_child;
using tests::run_child;

TEST_CASE("what is no list of CPUs is refused before the kernel is asked") {
  const auto text = GENERATE(as<std::string>{}, "", "\n", "all", "0-1\n2", "0x3", "0-\xff",
                             std::string(4097, '1'));
  const auto listener = ExitListener::open(text, 4096);
  REQUIRE_FALSE(listener);
  CHECK(listener.error().code == Errc::malformed);
}

TEST_CASE("every one of 2,000 children is heard of, once", "[live]") {
  auto listener = open_or_skip(kLargeBuffer);
  if (!listener) return;
  constexpr int kChildren = 2000;
  std::map<pid_t, int> expected;
  std::map<pid_t, int> heard;
  ProcessExits processes;
  for (int i = 0; i < kChildren; ++i) {
    ++expected[run_brief_child()];
    if (i % 500 != 499) continue;
    for (const auto& exit : drain_all(*listener)) {
      const auto process = processes.add(exit);
      if (process && process->parent_pid == ::getpid()) ++heard[process->pid];
    }
  }
  CHECK(dropped_by(*listener) == 0);
  CHECK(processes.unplaced() == 0);
  CHECK(heard == expected);
}

TEST_CASE("a record says of a child what wait4 says", "[live]") {
  auto listener = open_or_skip(kLargeBuffer);
  if (!listener) return;
  constexpr std::size_t kTouchedBytes = 32U << 20U;
  const auto before = std::chrono::system_clock::now();
  const auto child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_NAME, ") \xff name");
    const std::vector<char> touched(kTouchedBytes, 'x');
    rusage used{};
    do {
      ::getrusage(RUSAGE_SELF, &used);
    } while (used.ru_utime.tv_sec + used.ru_stime.tv_sec == 0 &&
             used.ru_utime.tv_usec + used.ru_stime.tv_usec < 200'000);
    ::_exit(touched.back() == 'x' ? 7 : 8);
  }
  int status = 0;
  rusage usage{};
  REQUIRE(::wait4(child, &status, 0, &usage) == child);
  const auto after = std::chrono::system_clock::now();
  const auto exits = drain_all(*listener);
  const auto found = std::find_if(exits.begin(), exits.end(),
                                  [child](const auto& exit) { return exit.tid == child; });
  REQUIRE(found != exits.end());
  const auto process = ProcessExits().add(*found);
  REQUIRE(process);
  CHECK(process->pid == child);
  CHECK(process->parent_pid == ::getpid());
  CHECK(process->uid == ::getuid());
  CHECK(process->comm == ") \xff name");
  CHECK(process->wait_status == static_cast<unsigned>(status));
  // All that it ran, but its last slice and its teardown.
  const auto microseconds =
      static_cast<double>((usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000 +
                          usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  constexpr double kTickMicroseconds = 10'000;
  CHECK(static_cast<double>(process->run_nanoseconds) / 1000 <= microseconds);
  CHECK(static_cast<double>(process->run_nanoseconds) / 1000 >= 200'000 - kTickMicroseconds);
  CHECK(process->peak_resident_bytes.value_or(0) >= kTouchedBytes);
  CHECK(process->minor_faults <= static_cast<std::uint64_t>(usage.ru_minflt));
  CHECK(process->minor_faults > 0);

  const auto seconds = [](auto time) {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
  };
  CHECK(process->start.latest_seconds >= seconds(before));
  CHECK(process->start.earliest_seconds <= seconds(after));
  CHECK(process->lived_microseconds >= 200'000);
}

TEST_CASE("the threads of a child are folded into one process", "[live]") {
  auto listener = open_or_skip(kLargeBuffer);
  if (!listener) return;
  constexpr int kThreads = 4;
  const auto child = run_child([] {
    ::prctl(PR_SET_NAME, "first");
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([] { ::prctl(PR_SET_NAME, "other"); });
    }
    for (auto& thread : threads) thread.join();
  });
  ProcessExits processes;
  std::vector<ProcessExit> ended;
  std::uint64_t run_nanoseconds = 0;
  std::optional<netlink::GroupTotals> totals;
  for (const auto& exit : drain_all(*listener)) {
    if (exit.tgid == child) run_nanoseconds += exit.run_nanoseconds;
    if (exit.tgid == child && exit.group) totals = exit.group;
    if (auto process = processes.add(exit); process && process->pid == child) {
      ended.push_back(*std::move(process));
    }
  }
  REQUIRE(ended.size() == 1);
  CHECK(ended.front().comm == "first");
  CHECK(ended.front().thread_records >= kThreads + 1);  // a sanitizer may have one of its own
  REQUIRE(totals);
  CHECK(ended.front().run_nanoseconds == totals->run_nanoseconds);
  CHECK(totals->run_nanoseconds >= run_nanoseconds);
}

TEST_CASE("threads that are killed all at once are in their process, which ends once", "[live]") {
  auto listener = open_or_skip(kLargeBuffer);
  if (!listener) return;
  constexpr int kChildren = 20;
  constexpr int kThreads = 20;
  std::map<pid_t, std::uint64_t> heard;
  std::map<pid_t, int> ends;
  std::map<pid_t, std::uint64_t> threads;
  ProcessExits processes;
  for (int i = 0; i < kChildren; ++i) {
    ++ends[run_child([] {
      for (int thread = 0; thread < kThreads; ++thread) {
        std::thread([] { ::pause(); }).detach();
      }
    })];
  }
  for (const auto& exit : drain_all(*listener)) {
    if (ends.count(exit.tgid.value_or(0)) != 0) ++heard[*exit.tgid];
    const auto process = processes.add(exit);
    if (!process || ends.count(process->pid) == 0) continue;
    threads[process->pid] += process->thread_records;
    if (process->is_end) --ends[process->pid];
  }
  for (const auto& [pid, rest] : ends) {
    INFO(pid);
    CHECK(rest == 0);
    CHECK(threads[pid] == heard[pid]);
    CHECK(heard[pid] >= kThreads + 1);
  }
  CHECK(processes.forgotten() == 0);
}

TEST_CASE("what a full queue loses is counted exactly", "[live]") {
  auto reference = open_or_skip(kLargeBuffer);
  if (!reference) return;
  // Other processes end, too: two listeners that began together must agree on how many did. When
  // one ended in between, we begin again.
  std::optional<ExitListener> tiny;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  do {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    tiny.reset();
    (void)drain_all(*reference);
    tiny = open_or_skip(1);  // the kernel gives its least
    if (!tiny) return;
  } while (!drain_all(*reference).empty());

  for (int i = 0; i < 200; ++i) (void)run_brief_child();
  std::uint64_t expected = 0;
  std::uint64_t received = 0;
  std::size_t meanwhile = 0;
  do {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    expected += drain_all(*reference).size();
    received += drain_all(*tiny).size();
    const auto lost = dropped_by(*tiny);
    meanwhile = drain_all(*reference).size();
    expected += meanwhile;
    if (meanwhile == 0 && received + lost == expected) {
      CHECK(expected >= 200);
      CHECK(lost >= 100);
      CHECK(received >= 1);
      break;
    }
  } while (true);

  // It hears again once there is room.
  const auto child = run_brief_child();
  const auto exits = drain_all(*tiny);
  CHECK(std::any_of(exits.begin(), exits.end(),
                    [child](const auto& exit) { return exit.tid == child; }));
}

TEST_CASE("a drain reads no more than it may, and says that there is more", "[live]") {
  auto listener = open_or_skip(kLargeBuffer);
  if (!listener) return;
  for (int i = 0; i < 100; ++i) (void)run_brief_child();
  std::uint64_t records = 0;
  const auto drained = listener->drain([&](const TaskExit&) { ++records; }, 40);
  REQUIRE(drained);
  CHECK(records == 64);
  CHECK(drained->records == 64);
  CHECK_FALSE(drained->is_empty);
  CHECK(drain_all(*listener).size() >= 36);
}

TEST_CASE("a listener goes on after the rights that opened it are given up", "[live]") {
  auto listener = open_or_skip(kLargeBuffer);
  if (!listener) return;
  const auto cpus = possible_cpus();
  CHECK(tests::holds_without_privilege([&] {
    const auto again = ExitListener::open(cpus, 4096);
    if (again || again.error().code != Errc::denied) return false;
    const auto child = ::fork();
    if (child == 0) ::_exit(0);
    if (::waitpid(child, nullptr, 0) != child) return false;
    bool is_heard = false;
    const auto drained =
        listener->drain([&](const TaskExit& exit) { is_heard = is_heard || exit.tid == child; });
    return drained && is_heard && listener->dropped();
  }));
}

TEST_CASE("a listener that was moved goes on, and one that is gone is not heard of", "[live]") {
  auto first = open_or_skip(kLargeBuffer);
  if (!first) return;
  auto second = open_or_skip(kLargeBuffer);
  REQUIRE(second);
  {
    ExitListener moved(*std::move(second));
    *first = std::move(moved);
  }
  const auto child = run_brief_child();
  const auto exits = drain_all(*first);
  CHECK(std::count_if(exits.begin(), exits.end(),
                      [child](const auto& exit) { return exit.tid == child; }) == 1);
}
