// Processes that are told by what was seen at the end of their last thread, and those that are not.
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <set>
#include <utility>

#include "bpf/process_values.hpp"
#include "tests/support/process_watch.hpp"

using tests::comes_true;
using tests::Drained;
using tests::has_ended;
using tests::microseconds;
using tests::open_watch;
using tests::run_in_child;
using tests::storm;

namespace {

void* burn_for_ever(void*) {
  volatile std::uint64_t sum = 0;
  for (;;) sum = sum + 1;
}

}  // namespace

TEST_CASE("Each of many short processes is drained once, with its time") {
  // Without patience most are told before they are freed.
  const auto patience = GENERATE(std::chrono::milliseconds(500), std::chrono::milliseconds(0));
  auto watch = open_watch({.patience = patience});
  if (!watch) return;
  constexpr int kCount = 2000;
  const auto result = storm(kCount, "storm");
  const auto parent = result.parent;
  Drained drained;
  REQUIRE(drained.await(*watch, parent) != nullptr);
  const auto is_child = [parent](const auto& record) {
    return record.parent_pid == static_cast<std::uint32_t>(parent);
  };
  CHECK(comes_true([&] {
    drained.drain(*watch);
    return std::count_if(drained.records.begin(), drained.records.end(), is_child) >= kCount;
  }));
  const auto last = run_in_child([] {});
  REQUIRE(drained.await(*watch, last.pid) != nullptr);  // What would be told twice has been.
  std::set<std::pair<std::uint32_t, std::uint64_t>> identities;
  std::uint64_t run_time_ns = 0;
  std::array<int, EXIT_REASONS> reasons{};
  int last_sights = 0;
  for (const auto& record : drained.records) {
    if (!is_child(record)) continue;
    identities.emplace(record.pid, record.start_boottime_ns);
    run_time_ns += record.counters.run_time_ns;
    ++reasons.at(record.reason);
    if ((record.flags & EXIT_IS_LAST_SIGHT) != 0) ++last_sights;
    CHECK(bpf::name_of(record) == "storm");
  }
  CHECK(identities.size() == kCount);
  CHECK(reasons == std::array<int, EXIT_REASONS>{kCount / 2, kCount / 2, 0, 0});
  const auto run_time_us = static_cast<double>(run_time_ns) / 1000;
  const auto all_us = static_cast<double>(result.children_us);
  CHECK(run_time_us <= 1.01 * all_us);
  CHECK(run_time_us >= (0.99 - static_cast<double>(last_sights) / kCount) * all_us);
}

TEST_CASE("A zombie is not told while it is there, however long ago its end was") {
  auto watch = open_watch({.patience = std::chrono::milliseconds(0)});
  if (!watch) return;
  const auto zombie = ::fork();
  if (zombie == 0) ::_exit(5);
  REQUIRE(comes_true([zombie] { return has_ended(zombie); }));
  Drained drained;
  for (int i = 0; i < 3; ++i) {
    const auto other = run_in_child([] {});
    REQUIRE(drained.await(*watch, other.pid) != nullptr);
    CHECK(drained.find(zombie) == nullptr);
  }
  int status = 0;
  ::waitpid(zombie, &status, 0);
  const auto* const record = drained.await(*watch, zombie);
  REQUIRE(record != nullptr);
  CHECK(record->wait_status == static_cast<std::uint32_t>(status));
}

TEST_CASE("A last sight has what all threads used, but for a tick of each") {
  auto watch = open_watch({.patience = std::chrono::milliseconds(0)});
  if (!watch) return;
  constexpr int kThreads = 3;
  constexpr int kTickUs = 10'000;
  const auto burn_and_exit = [] {
    pthread_t thread{};
    for (int i = 0; i < kThreads; ++i) {
      ::pthread_create(&thread, nullptr, burn_for_ever, nullptr);
    }
    (void)comes_true([] { return std::clock() > CLOCKS_PER_SEC / 5; });
    ::_exit(3);
  };
  const ExitRecord* record = nullptr;
  tests::Ended ended;
  Drained drained;
  CHECK(comes_true([&] {  // Most are told before they are freed.
    ended = run_in_child(burn_and_exit);
    record = drained.await(*watch, ended.pid);
    return record != nullptr && (record->flags & EXIT_IS_LAST_SIGHT) != 0;
  }));
  REQUIRE(record != nullptr);
  const auto run_us = record->counters.run_time_ns / 1000;
  CHECK(run_us <= microseconds(ended.usage) + kThreads + 1);
  CHECK(run_us + (kThreads + 1) * kTickUs >= microseconds(ended.usage));
  CHECK(record->wait_status == static_cast<std::uint32_t>(ended.status));
  CHECK(record->reason == EXIT_ERROR);
}
