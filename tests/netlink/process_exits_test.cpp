#include "netlink/process_exits.hpp"

#include <catch2/catch.hpp>

using netlink::GroupTotals;
using netlink::ProcessExits;
using netlink::TaskExit;

namespace {

enum class Place : bool { outlived, last };

constexpr std::int64_t kStartSeconds = 1'000'000;

/// A thread of a process that began at kStartSeconds and has lived for `lived_seconds`.
TaskExit thread_exit(std::int32_t tgid, std::int32_t tid, Place place,
                     std::uint64_t lived_seconds = 10) {
  TaskExit exit;
  exit.version = 16;
  exit.tid = tid;
  exit.tgid = tgid;
  exit.is_last_of_group = place == Place::last;
  exit.comm = "thread " + std::to_string(tid);
  exit.begin_seconds = kStartSeconds;
  exit.elapsed_microseconds = lived_seconds * 1'000'000;
  exit.process_elapsed_microseconds = lived_seconds * 1'000'000;
  return exit;
}

TaskExit with_usage(TaskExit exit, std::uint64_t factor) {
  exit.cpu_nanoseconds = 1 * factor;
  exit.run_nanoseconds = 2 * factor;
  exit.cpu_delay_nanoseconds = 3 * factor;
  exit.user_microseconds = 4 * factor;
  exit.system_microseconds = 5 * factor;
  exit.minor_faults = 6 * factor;
  exit.major_faults = 7 * factor;
  exit.read_bytes = 8 * factor;
  exit.write_bytes = 9 * factor;
  exit.voluntary_switches = 10 * factor;
  exit.nonvoluntary_switches = 11 * factor;
  return exit;
}

}  // namespace

TEST_CASE("a process of one thread is that thread") {
  auto exit = with_usage(thread_exit(7, 7, Place::last), 1);
  exit.uid = 1000;
  exit.parent_pid = 3;
  exit.wait_status = 0x300;
  exit.peak_resident_bytes = 4096;
  ProcessExits exits;
  const auto process = exits.add(exit);
  REQUIRE(process);
  CHECK(process->pid == 7);
  CHECK(process->parent_pid == 3);
  CHECK(process->uid == 1000);
  CHECK(process->comm == "thread 7");
  CHECK(process->wait_status == 0x300);
  CHECK(process->thread_records == 1);
  CHECK(process->lived_microseconds == 10'000'000);
  CHECK(process->start.earliest_seconds == Approx(kStartSeconds));
  CHECK(process->cpu_nanoseconds == 1);
  CHECK(process->run_nanoseconds == 2);
  CHECK(process->cpu_delay_nanoseconds == 3);
  CHECK(process->peak_resident_bytes == 4096);
  CHECK(exits.pending() == 0);
  CHECK(exits.forgotten() + exits.unplaced() == 0);
}

TEST_CASE("threads are summed into their process, which ends with the last of them") {
  ProcessExits exits;
  auto first = with_usage(thread_exit(7, 9, Place::outlived, 8), 1);
  auto second = with_usage(thread_exit(7, 7, Place::outlived, 9), 10);
  auto last = with_usage(thread_exit(7, 8, Place::last), 100);
  first.peak_resident_bytes = 4096;
  second.peak_resident_bytes = 8192;
  CHECK_FALSE(exits.add(first));
  CHECK_FALSE(exits.add(with_usage(thread_exit(5, 6, Place::outlived), 1000)));
  CHECK_FALSE(exits.add(second));
  CHECK(exits.pending() == 2);
  const auto process = exits.add(last);
  REQUIRE(process);
  CHECK(exits.pending() == 1);
  CHECK(process->pid == 7);
  CHECK(process->thread_records == 3);
  CHECK(process->cpu_nanoseconds == 111);
  CHECK(process->run_nanoseconds == 222);
  CHECK(process->cpu_delay_nanoseconds == 333);
  CHECK(process->user_microseconds == 444);
  CHECK(process->system_microseconds == 555);
  CHECK(process->minor_faults == 666);
  CHECK(process->major_faults == 777);
  CHECK(process->read_bytes == 888);
  CHECK(process->write_bytes == 999);
  CHECK(process->voluntary_switches == 1110);
  CHECK(process->nonvoluntary_switches == 1221);
  CHECK(process->peak_resident_bytes == 8192);
  CHECK(process->comm == "thread 7");  // of the first thread, which was neither first nor last here
}

TEST_CASE("a process ends once, and its pid begins anew") {
  ProcessExits exits;
  CHECK_FALSE(exits.add(with_usage(thread_exit(7, 8, Place::outlived), 1)));
  CHECK(exits.add(with_usage(thread_exit(7, 7, Place::last), 1))->thread_records == 2);
  CHECK(exits.add(with_usage(thread_exit(7, 7, Place::last), 1))->thread_records == 1);
}

TEST_CASE("the kernel's totals count for threads that nobody heard") {
  ProcessExits exits;
  CHECK_FALSE(exits.add(with_usage(thread_exit(7, 8, Place::outlived), 1)));
  auto last = with_usage(thread_exit(7, 7, Place::last), 10);
  SECTION("they are more") {
    last.group = GroupTotals{7, 1001, 1002, 1003};
    const auto process = exits.add(last);
    REQUIRE(process);
    CHECK(process->cpu_nanoseconds == 1001);
    CHECK(process->run_nanoseconds == 1002);
    CHECK(process->cpu_delay_nanoseconds == 1003);
    CHECK(process->user_microseconds == 44);
  }
  SECTION("they overflowed, which the kernel says as 0") {
    last.group = GroupTotals{7, 0, 0, 0};
    const auto process = exits.add(last);
    REQUIRE(process);
    CHECK(process->cpu_nanoseconds == 11);
    CHECK(process->run_nanoseconds == 22);
    CHECK(process->cpu_delay_nanoseconds == 33);
  }
}

TEST_CASE("the status of a process is that which wait(2) gives") {
  const auto [what, first, last, first_is_last, expected] =
      GENERATE(table<const char*, unsigned, unsigned, bool, unsigned>({
          {"the first thread ends last", 0x300, 0, true, 0x300},
          {"all are killed, the first thread ends last", 9, 9, true, 9},
          {"all are killed, another ends last", 9, 9, false, 9},
          {"the first thread left before another ended all", 0, 0x300, false, 0x300},
          {"the first thread failed, all others just ended", 0x300, 0, false, 0x300},
          {"a thread that ended before says nothing", 0, 0x300, true, 0},
      }));
  INFO(what);
  ProcessExits exits;
  auto first_thread = thread_exit(7, 7, first_is_last ? Place::last : Place::outlived);
  auto other = thread_exit(7, 8, first_is_last ? Place::outlived : Place::last);
  first_thread.wait_status = first;
  other.wait_status = last;
  CHECK_FALSE(exits.add(first_is_last ? other : first_thread));
  const auto process = exits.add(first_is_last ? first_thread : other);
  REQUIRE(process);
  CHECK(process->wait_status == expected);
}

TEST_CASE("a name of a thread is the process's only while the first thread is not heard") {
  ProcessExits exits;
  CHECK_FALSE(exits.add(thread_exit(7, 8, Place::outlived)));
  CHECK(exits.add(thread_exit(7, 9, Place::last))->comm == "thread 9");
}

TEST_CASE("of more processes than there is room for, the one that was quiet longest is forgotten") {
  ProcessExits exits(2);
  CHECK_FALSE(exits.add(thread_exit(10, 11, Place::outlived)));
  CHECK_FALSE(exits.add(thread_exit(20, 21, Place::outlived)));
  CHECK_FALSE(exits.add(thread_exit(10, 12, Place::outlived)));
  CHECK(exits.forgotten() == 0);
  CHECK_FALSE(exits.add(thread_exit(30, 31, Place::outlived)));
  CHECK(exits.forgotten() == 1);
  CHECK(exits.pending() == 2);
  CHECK(exits.add(thread_exit(10, 10, Place::last))->thread_records == 3);
  CHECK(exits.add(thread_exit(20, 20, Place::last))->thread_records == 1);
  CHECK(exits.add(thread_exit(30, 30, Place::last))->thread_records == 2);
}

TEST_CASE("a process whose end was lost leaves nothing to the next of its pid") {
  ProcessExits exits;
  CHECK_FALSE(exits.add(with_usage(thread_exit(7, 8, Place::outlived, 10), 1000)));
  // 20 s later, a process that lived 5 s: it began 15 s after the other.
  auto next = with_usage(thread_exit(7, 7, Place::last, 5), 1);
  next.begin_seconds = kStartSeconds + 15;
  const auto process = exits.add(next);
  REQUIRE(process);
  CHECK(process->thread_records == 1);
  CHECK(process->cpu_nanoseconds == 1);
  CHECK(exits.forgotten() == 1);
  CHECK(exits.pending() == 0);
}

TEST_CASE("a thread that its process's end overtook is handed on alone, and ends nothing") {
  ProcessExits exits;
  auto last = with_usage(thread_exit(7, 7, Place::last), 1);
  last.group = GroupTotals{7, 5, 5, 5};
  const auto end = exits.add(last);
  REQUIRE(end);
  CHECK(end->is_end);
  const auto late = exits.add(with_usage(thread_exit(7, 8, Place::outlived), 10));
  REQUIRE(late);
  CHECK_FALSE(late->is_end);
  CHECK(late->pid == 7);
  CHECK(late->comm == "thread 7");
  CHECK(late->thread_records == 1);
  CHECK(late->cpu_nanoseconds == 10);
  CHECK(late->read_bytes == 80);
  CHECK(exits.pending() == 0);

  // Not so the thread of another process, which got the pid later.
  auto next = thread_exit(7, 9, Place::outlived, 5);
  next.begin_seconds = kStartSeconds + 15;
  CHECK_FALSE(exits.add(next));
  CHECK(exits.pending() == 1);
}

TEST_CASE("ended processes are remembered in bounded memory") {
  ProcessExits exits;
  constexpr std::int32_t kProcesses = 5000;
  for (std::int32_t pid = 1; pid <= kProcesses; ++pid) {
    auto last = thread_exit(pid, pid, Place::last);
    last.group = GroupTotals{pid, 0, 0, 0};
    REQUIRE(exits.add(last));
  }
  CHECK(exits.add(thread_exit(kProcesses, kProcesses + 1, Place::outlived)));
  CHECK_FALSE(exits.add(thread_exit(1, kProcesses + 1, Place::outlived)));
}

TEST_CASE("records of kernels that do not name the process are counted") {
  auto exit = thread_exit(7, 7, Place::last);
  exit.tgid.reset();
  ProcessExits exits;
  CHECK_FALSE(exits.add(exit));
  CHECK(exits.unplaced() == 1);
  CHECK(exits.pending() == 0);
}
