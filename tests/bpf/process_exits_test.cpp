#include <fcntl.h>
#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
#include <cstring>
#include <numeric>
#include <set>
#include <string>

#include "bpf/process_values.hpp"
#include "tests/support/child.hpp"
#include "tests/support/process_watch.hpp"

using bpf::Detail;
using bpf::ProcessWatch;
using tests::comes_true;
using tests::Drained;
using tests::open_watch;

namespace {

struct Ended {
  pid_t pid = -1;
  int status = 0;
  rusage usage{};
};

/// Runs `body` in a child, which then exits, and waits for it.
template <class Body>
Ended run_in_child(Body body) {
  Ended ended;
  ended.pid = ::fork();
  if (ended.pid == 0) {
    body();
    ::_exit(0);
  }
  ::wait4(ended.pid, &ended.status, 0, &ended.usage);
  return ended;
}

std::uint64_t microseconds(const rusage& usage) {
  const auto seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec;
  return static_cast<std::uint64_t>(seconds * 1'000'000 + usage.ru_utime.tv_usec +
                                    usage.ru_stime.tv_usec);
}

void* burn_in_thread(void*) {
  volatile std::uint64_t sum = 0;
  for (std::uint64_t round = 0; round < 3'000'000; ++round) sum = sum + round;
  return nullptr;
}

/// What a parent knows of the children it has waited for.
struct Storm {
  std::uint64_t children_us = 0;
  pid_t parent = -1;
};

/// `count` short children of one parent, all of that name, which have all been waited for.
Storm storm(int count, const char* comm) {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  const auto ended = run_in_child([&] {
    ::dup2(pipe[1], STDOUT_FILENO);
    const auto text = std::to_string(count);
    ::execl(PROCESS_STORM, PROCESS_STORM, text.c_str(), comm, nullptr);
    ::_exit(127);
  });
  ::close(pipe[1]);
  std::array<char, 32> text{};
  const auto length = ::read(pipe[0], text.data(), text.size() - 1);
  ::close(pipe[0]);
  REQUIRE(ended.status == 0);
  REQUIRE(length > 0);
  return {.children_us = std::stoul(text.data()), .parent = ended.pid};
}

std::uint64_t sum_of(const ExitSums& sums) {
  return std::accumulate(std::begin(sums.exits), std::end(sums.exits), std::uint64_t{0});
}

bool has_name(const ExitKey& key, const char* comm) { return bpf::name_of(key) == comm; }

}  // namespace

TEST_CASE("Each of many short processes is drained once, with its time") {
  auto watch = open_watch();
  if (!watch) return;
  constexpr int kCount = 2000;
  const auto [children_us, parent] = storm(kCount, "storm");
  Drained drained;
  REQUIRE(drained.await(*watch, parent) != nullptr);
  const auto is_child = [parent](const auto& record) {
    return record.parent_pid == static_cast<std::uint32_t>(parent);
  };
  (void)comes_true([&] {
    drained.drain(*watch);
    return std::count_if(drained.records.begin(), drained.records.end(), is_child) >= kCount;
  });
  std::set<std::pair<std::uint32_t, std::uint64_t>> identities;
  std::uint64_t run_time_ns = 0;
  std::array<int, EXIT_REASONS> reasons{};
  int count = 0;
  for (const auto& record : drained.records) {
    if (!is_child(record)) continue;
    ++count;
    identities.emplace(record.pid, record.start_boottime_ns);
    run_time_ns += record.run_time_ns;
    ++reasons.at(record.reason);
    CHECK(bpf::name_of(record) == "storm");
  }
  CHECK(count == kCount);
  CHECK(identities.size() == kCount);
  CHECK(reasons[EXIT_NORMAL] == kCount / 2);
  CHECK(reasons[EXIT_ERROR] == kCount / 2);
  CHECK(static_cast<double>(run_time_ns) / 1000 ==
        Approx(static_cast<double>(children_us)).epsilon(0.01));
}

TEST_CASE("What finds the ring full is summed up under its name, and nothing is lost") {
  auto watch = open_watch({.ring_bytes = 4096});  // 28 records.
  if (!watch) return;
  constexpr int kCount = 300;
  const auto first = storm(kCount, "tiny");
  Drained drained;
  std::uint64_t in_ring = 0;
  std::uint64_t summed = 0;
  std::uint64_t run_time_ns = 0;
  const auto count = [&] {
    drained.drain(*watch);
    in_ring = summed = run_time_ns = 0;
    for (const auto& record : drained.records) {
      if (record.parent_pid != static_cast<std::uint32_t>(first.parent)) continue;
      ++in_ring;
      run_time_ns += record.run_time_ns;
    }
    for (const auto& [key, sums] : drained.summed) {
      if (!has_name(key, "tiny")) continue;
      CHECK(key.user_id == ::getuid());
      summed += sum_of(sums);
      run_time_ns += sums.run_time_ns;
    }
    return in_ring + summed >= kCount;
  };
  REQUIRE(comes_true(count));
  for (int more = 0; more < 3; ++more) count();
  // The parent, too, may be among the sums.
  const auto expected = kCount + (drained.find(first.parent) == nullptr ? 1U : 0U);
  CHECK(in_ring + summed == expected);
  CHECK(in_ring > 0);
  CHECK(summed > 0);
  CHECK(sum_of(drained.nameless) == 0);
  CHECK(static_cast<double>(run_time_ns) / 1000 >= static_cast<double>(first.children_us) * 0.99);

  // The other set of sums works as well, and the first one again.
  for (int round = 0; round < 2; ++round) {
    Drained next;
    const auto parent = storm(100, "again").parent;
    std::uint64_t again = 0;
    CHECK(comes_true([&] {
      next.drain(*watch);
      again = 0;
      for (const auto& record : next.records) {
        again += record.parent_pid == static_cast<std::uint32_t>(parent) ||
                 record.pid == static_cast<std::uint32_t>(parent);
      }
      for (const auto& [key, sums] : next.summed)
        again += has_name(key, "again") ? sum_of(sums) : 0;
      return again >= 101;
    }));
    CHECK(again == 101);
  }
}

TEST_CASE("What finds even the sums full is still counted") {
  auto watch = open_watch({.ring_bytes = 4096, .sum_keys = 1});
  if (!watch) return;
  constexpr int kCount = 100;
  for (const char* const comm : {"one", "two", "three"}) (void)storm(kCount, comm);
  Drained drained;
  std::uint64_t named = 0;
  (void)comes_true([&] {
    drained.drain(*watch);
    named = drained.records.size();
    for (const auto& [key, sums] : drained.summed) named += sum_of(sums);
    return named + sum_of(drained.nameless) >= 3 * (kCount + 1);
  });
  CHECK(named + sum_of(drained.nameless) >= 3 * (kCount + 1));
  // Of other processes of this host, few; of ours, none twice.
  CHECK(named + sum_of(drained.nameless) <= 3 * (kCount + 1) + 200);
  CHECK(sum_of(drained.nameless) >= kCount);
  CHECK(drained.nameless.run_time_ns > 0);
}

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

TEST_CASE("The exit says how it ended") {
  auto watch = open_watch();
  if (!watch) return;
  const auto normal = run_in_child([] {});
  const auto error = run_in_child([] { ::_exit(3); });
  const auto killed = run_in_child([] { ::kill(::getpid(), SIGKILL); });
  const auto group = run_in_child([] {
    pthread_t thread{};
    const auto end = [](void*) -> void* { ::_exit(7); };
    ::pthread_create(&thread, nullptr, end, nullptr);
    for (;;) ::pause();
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
  const auto ended = run_in_child([] {
    std::array<pthread_t, 3> threads{};
    for (auto& thread : threads) ::pthread_create(&thread, nullptr, burn_in_thread, nullptr);
    for (const auto thread : threads) ::pthread_join(thread, nullptr);
  });
  Drained drained;
  const auto* const record = drained.await(*watch, ended.pid);
  REQUIRE(record != nullptr);
  const auto run_us = record->run_time_ns / 1000;
  CHECK(run_us > 1000);
  CHECK(run_us >= microseconds(ended.usage));
  CHECK(run_us <= microseconds(ended.usage) + 3);  // Each part is rounded down.
  CHECK(record->minor_faults == static_cast<std::uint64_t>(ended.usage.ru_minflt));
  CHECK(record->major_faults == static_cast<std::uint64_t>(ended.usage.ru_majflt));
  CHECK(record->voluntary_switches == static_cast<std::uint64_t>(ended.usage.ru_nvcsw));
  CHECK(record->involuntary_switches == static_cast<std::uint64_t>(ended.usage.ru_nivcsw));
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
  CHECK(record->run_time_ns >= seen.run_time_ns);
  const auto later = watch->walk(Detail::counters);
  REQUIRE(later);
  CHECK(tests::find_process(*later, child.pid()) == nullptr);
}
