// The last numbers of processes.
#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>

#include "bpf/process_values.hpp"
#include "tests/support/child.hpp"
#include "tests/support/process_watch.hpp"

using bpf::Detail;
using tests::comes_true;
using tests::Drained;
using tests::has_ended;
using tests::microseconds;
using tests::open_watch;
using tests::run_in_child;

namespace {

void* burn_in_thread(void*) {
  volatile std::uint64_t sum = 0;
  for (std::uint64_t round = 0; round < 3'000'000; ++round) sum = sum + round;
  return nullptr;
}

}  // namespace

TEST_CASE("The peak of memory is that of the moment, not of what is left") {
  auto watch = open_watch();
  if (!watch) return;
  constexpr std::size_t kBytes = 64U << 20U;
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const auto small = run_in_child([] {});
  const auto large = run_in_child([] {
    void* const memory =
        ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::memset(memory, 1, kBytes);
    ::munmap(memory, kBytes);
  });
  Drained drained;
  REQUIRE(drained.await(*watch, large.pid) != nullptr);
  REQUIRE(drained.await(*watch, small.pid) != nullptr);
  const auto peak = drained.find(large.pid)->peak_resident_pages * page;
  const auto other = drained.find(small.pid)->peak_resident_pages * page;
  CHECK(peak >= kBytes);
  CHECK(peak >= other + kBytes - kBytes / 8);
  CHECK(peak <= other + kBytes + kBytes / 8);
}

TEST_CASE("The peak of a program is its own, not that of the one before exec") {
  auto watch = open_watch();
  if (!watch) return;
  constexpr std::size_t kBytes = 64U << 20U;
  const auto ended = run_in_child([] {
    void* const memory =
        ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::memset(memory, 1, kBytes);
    ::execl(PROCESS_STORM, PROCESS_STORM, nullptr);  // Without arguments: exits with 2.
    ::_exit(127);
  });
  CHECK(WEXITSTATUS(ended.status) == 2);
  Drained drained;
  const auto* const record = drained.await(*watch, ended.pid);
  REQUIRE(record != nullptr);
  const bool is_exact = (record->flags & EXIT_PEAK_IS_EXACT) != 0;
  CHECK(is_exact == tests::has_linux(6, 16));
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  CHECK((record->peak_resident_pages * page < kBytes / 2) == is_exact);
  CHECK(record->peak_resident_pages > 0);
}

TEST_CASE("The exit says how it ended") {
  auto watch = open_watch();
  if (!watch) return;
  const auto normal = run_in_child([] {});
  const auto error = run_in_child([] { ::_exit(3); });
  const auto killed = run_in_child([] { ::kill(::getpid(), SIGKILL); });
  const auto group = run_in_child([] {
    pthread_t thread{};
    const auto end = [](void* leader) -> void* {
      (void)comes_true([leader] { return has_ended(*static_cast<pid_t*>(leader)); });
      ::_exit(7);
    };
    auto self = ::getpid();
    ::pthread_create(&thread, nullptr, end, &self);
    ::syscall(SYS_exit, 0);  // Of this thread alone: its own status is not the process's.
  });
  Drained drained;
  for (const auto& [ended, reason] : {std::pair{normal, EXIT_NORMAL},
                                      {error, EXIT_ERROR},
                                      {killed, EXIT_SIGNAL},
                                      {group, EXIT_ERROR}}) {
    const auto* const record = drained.await(*watch, ended.pid);
    REQUIRE(record != nullptr);
    CHECK(record->wait_status == static_cast<std::uint32_t>(ended.status));
    CHECK(record->reason == static_cast<std::uint32_t>(reason));
    CHECK(record->parent_pid == static_cast<std::uint32_t>(::getpid()));
    CHECK(record->user_id == ::getuid());
  }
}

TEST_CASE("The final numbers are what the parent is told, threads included") {
  auto watch = open_watch();
  if (!watch) return;
  const auto burn = [] {
    std::array<pthread_t, 3> threads{};
    for (auto& thread : threads) ::pthread_create(&thread, nullptr, burn_in_thread, nullptr);
    for (const auto thread : threads) ::pthread_join(thread, nullptr);
  };
  auto ended = run_in_child(burn);
  Drained drained;
  const auto* record = drained.await(*watch, ended.pid);
  REQUIRE(record != nullptr);
  while ((record->flags & EXIT_IS_LAST_SIGHT) != 0) {  // Freed unseen, where that happens.
    ended = run_in_child(burn);
    record = drained.await(*watch, ended.pid);
    REQUIRE(record != nullptr);
  }
  const auto run_us = record->counters.run_time_ns / 1000;
  CHECK(run_us > 1000);
  CHECK(run_us >= microseconds(ended.usage));
  CHECK(run_us <= microseconds(ended.usage) + 3);  // Each part is rounded down.
  const auto of_it = [&](const auto& other) { return other.pid == record->pid; };
  CHECK(std::count_if(drained.records.begin(), drained.records.end(), of_it) == 1);
  CHECK(record->counters.minor_faults == static_cast<std::uint64_t>(ended.usage.ru_minflt));
  CHECK(record->counters.major_faults == static_cast<std::uint64_t>(ended.usage.ru_majflt));
  CHECK(record->counters.voluntary_switches == static_cast<std::uint64_t>(ended.usage.ru_nvcsw));
  CHECK(record->counters.involuntary_switches == static_cast<std::uint64_t>(ended.usage.ru_nivcsw));
}

TEST_CASE("A process has the same identity and name in a walk and at its exit") {
  auto watch = open_watch();
  if (!watch) return;
  const std::string comm = "\xff)\n\"{}\x01";
  tests::Child child(comm);
  const auto records = watch->walk(Detail::counters);
  REQUIRE(records);
  const auto* const alive = tests::find_process(*records, child.pid());
  REQUIRE(alive != nullptr);
  const auto seen = *alive;
  child.kill();
  const auto zombies = watch->walk(Detail::complete);
  REQUIRE(zombies);
  const auto* const zombie = tests::find_process(*zombies, child.pid());
  REQUIRE(zombie != nullptr);  // Until it is reaped.
  CHECK(bpf::state_letter(*zombie) == 'Z');
  CHECK((zombie->flags & PROCESS_HAS_MEMORY) == 0);
  child.reap();
  Drained drained;
  const auto* const record = drained.await(*watch, child.pid());
  REQUIRE(record != nullptr);
  CHECK(record->start_boottime_ns == seen.start_boottime_ns);
  CHECK(record->cgroup_id == seen.cgroup_id);
  CHECK(record->cgroup_id != 0);
  CHECK(bpf::name_of(*record) == comm);
  CHECK(record->counters.run_time_ns >= seen.counters.run_time_ns);
  const auto later = watch->walk(Detail::counters);
  REQUIRE(later);
  CHECK(tests::find_process(*later, child.pid()) == nullptr);
}

TEST_CASE("No walk sees more of a process than its exit tells, and none after its exit") {
  auto watch = open_watch();
  if (!watch) return;
  const auto parent = ::fork();
  if (parent == 0) {
    ::close(STDOUT_FILENO);
    ::execl(PROCESS_STORM, PROCESS_STORM, "3000", "walked", nullptr);
    ::_exit(127);
  }
  using Identity = std::pair<std::uint32_t, std::uint64_t>;
  std::map<Identity, ExitRecord> finals;
  std::map<Identity, ProcessRecord> seen;
  std::uint64_t walked = 0;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!finals.contains({}) && std::chrono::steady_clock::now() < deadline) {
    bpf::Exits exits;
    REQUIRE(watch->drain_exits(exits, std::chrono::steady_clock::now()));
    for (const auto& record : exits.records) {
      finals[{record.pid, record.start_boottime_ns}] = record;
      if (record.pid == static_cast<std::uint32_t>(parent)) finals[{}] = record;
    }
    const auto records = watch->walk(Detail::counters);
    REQUIRE(records);
    for (const auto& record : *records) {
      const Identity identity{record.pid, record.start_boottime_ns};
      if (finals.contains(identity)) FAIL("walked after its exit: " << record.pid);
      if ((record.flags & PROCESS_SUMS_ARE_TORN) == 0) seen[identity] = record;
    }
    ::waitpid(parent, nullptr, WNOHANG);
  }
  REQUIRE(finals.contains({}));
  for (const auto& [identity, record] : seen) {
    const auto final_record = finals.find(identity);
    if (final_record == finals.end()) continue;  // Lives on.
    ++walked;
    CHECK(record.counters.run_time_ns <= final_record->second.counters.run_time_ns);
    CHECK(record.counters.minor_faults <= final_record->second.counters.minor_faults);
    CHECK(record.counters.voluntary_switches <= final_record->second.counters.voluntary_switches);
  }
  CHECK(walked > 100);
}
