// What the kernel reports of a thread that ends: taskstats, see the kernel's
// Documentation/accounting/taskstats.rst and <linux/taskstats.h>. No system calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "metrics/result.hpp"

namespace netlink {

using metrics::Errc;
using metrics::Error;
using metrics::Result;

/// Sums over all threads that a process ever had, also those that ended before anybody listened.
/// The kernel adds them up only for a process that had more than one thread.
struct GroupTotals {
  std::int32_t tgid = 0;
  std::uint64_t cpu_nanoseconds = 0;  ///< As in TaskExit; so are the other two.
  std::uint64_t run_nanoseconds = 0;
  std::uint64_t cpu_delay_nanoseconds = 0;
};

/// One thread that ended. Sent by the kernel while the thread still runs its end, before it gives
/// back its memory: what that costs (about 60 us for each MB) is in none of the times.
/// A kernel built without TASK_XACCT or TASK_IO_ACCOUNTING sends zeros, which cannot be told apart.
struct TaskExit {
  std::uint16_t version = 0;         ///< Of the kernel's struct.
  std::int32_t tid = 0;              ///< In the initial namespace, like all ids here.
  std::optional<std::int32_t> tgid;  ///< The process. Since version 12 (Linux 5.19).
  /// The process ended with this thread. Before version 12 false also for a process that never had
  /// another thread.
  bool is_last_of_group = false;
  std::string comm;       ///< Any bytes the thread chose, at most 15; the struct has room for 32.
  std::uint32_t uid = 0;  ///< Real.
  std::int32_t parent_pid = 0;
  std::uint32_t wait_status = 0;  ///< As of wait(2), for WIFEXITED() and its kin.

  std::int64_t begin_seconds = 0;  ///< Since the epoch. Cut, not rounded; see process_start().
  std::uint64_t elapsed_microseconds = 0;  ///< Since the thread began, without suspension.
  /// Since the process began, without suspension. Since version 12.
  std::optional<std::uint64_t> process_elapsed_microseconds;

  /// On the usual kernels (TICK_CPU_ACCOUNTING) whole ticks of 1 to 10 ms: wrong for one thread,
  /// right on average over many.
  std::uint64_t user_microseconds = 0;
  std::uint64_t system_microseconds = 0;
  std::uint64_t cpu_nanoseconds = 0;  ///< cpu_run_real_total: user and system.
  /// cpu_run_virtual_total: what the scheduler measured, exact but for the slice that the thread
  /// runs while it ends, up to a tick. Never too much; a thread of 1 ms may show nearly nothing.
  std::uint64_t run_nanoseconds = 0;
  std::uint64_t cpu_delay_nanoseconds = 0;  ///< Runnable, but waiting for a CPU.

  std::uint64_t minor_faults = 0;
  std::uint64_t major_faults = 0;
  std::uint64_t read_bytes = 0;   ///< From storage, cut to KiB.
  std::uint64_t write_bytes = 0;  ///< To storage, cut to KiB; cancelled writes are not taken off.
  std::uint64_t voluntary_switches = 0;
  std::uint64_t nonvoluntary_switches = 0;
  /// The most that the process ever had resident. Absent for kernel threads, which have no memory.
  std::optional<std::uint64_t> peak_resident_bytes;

  std::optional<GroupTotals> group;  ///< With the last thread of a process that had several.
};

/// Parses one datagram: the records in it, usually one. Messages of other commands are skipped.
/// Fails with `malformed` when a message, an attribute or a record is not whole, for netlink's own
/// messages (NLMSG_ERROR), and when a record is not about the thread that its envelope names: then
/// the kernel's struct is not the one we know.
Result<std::vector<TaskExit>> parse_taskstats(std::span<const std::byte> datagram);

/// When a process began, in seconds since the epoch: not before `earliest`, and before `latest`.
struct StartTime {
  double earliest_seconds = 0;
  double latest_seconds = 0;
};

/// When the process of this thread began. The kernel tells the second in which the thread ended
/// and, to the microsecond, how long the process lived: hence within 1.01 s, which is enough to
/// tell processes of the same pid apart, as a pid comes back much later. Compare with column 22 of
/// /proc/PID/stat, counted from the boot as the wall clock sees it now. While the host is suspended
/// the wall clock goes on and the life of a process does not: what it slept since the process
/// began has to be taken off. A wall clock that is set meanwhile moves the result.
/// Nothing before version 12.
std::optional<StartTime> process_start(const TaskExit& exit);

}  // namespace netlink
