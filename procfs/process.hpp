// The files of one process below /proc/PID, see proc(5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "metrics/result.hpp"

namespace procfs {

/// /proc/PID/stat: numbers of the whole process, its threads that ended included. What its
/// children used is not in them but in those named so: of children that ended and that the process
/// waited for, and of their children likewise. Not of those it let the kernel reap (SIGCHLD
/// ignored), nor of those that it left behind.
/// /proc/PID/task/TID/stat has the same columns: there, comm, state, faults, times and start are
/// the thread's own, the rest its process's.
struct ProcessStat {
  std::int32_t pid = 0;
  std::string comm;  ///< Any bytes the process chose, at most 15; up to 63 for a kernel worker.
  char state = '?';  ///< Of the main thread: R, S, D, Z, T, t, I, or X while it is being reaped.
  std::int32_t parent_pid = 0;
  bool is_kernel_thread = false;  ///< PF_KTHREAD: no program, no memory of its own.
  std::uint64_t minor_faults = 0;
  std::uint64_t children_minor_faults = 0;
  std::uint64_t major_faults = 0;  ///< Had to wait for a disk.
  std::uint64_t children_major_faults = 0;
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  std::uint64_t children_user_ticks = 0;
  std::uint64_t children_system_ticks = 0;
  std::uint64_t threads = 0;           ///< Alive now.
  std::uint64_t start_time_ticks = 0;  ///< Since boot. Tells two processes of the same pid apart.
  std::uint64_t virtual_bytes = 0;     ///< 0 without an address space: kernel threads, zombies.
  /// Where the stack begins: another place after each exec, as the kernel chooses it by chance.
  /// Absent without an address space, and to whom may not trace the process.
  std::optional<std::uint64_t> stack_address = std::nullopt;
};

/// Parses the whole text. The name reaches from the first '(' to the last ')', as it may hold
/// parentheses, newlines and text that looks like the columns after it.
/// Fails with `malformed` when there is no such name or a column of the above is not a number.
metrics::Result<ProcessStat> parse_process_stat(std::string_view text);

/// /proc/PID/status. A process without an address space has none of the memory lines, and truly
/// nothing in memory or swap.
struct ProcessStatus {
  std::uint64_t resident_bytes = 0;  ///< VmRSS, as in statm; the rss of stat is approximate (6.2).
  std::uint64_t swapped_bytes = 0;   ///< VmSwap.
  /// VmHWM: the most that was ever resident, since the last exec. Absent without an address space.
  std::optional<std::uint64_t> peak_resident_bytes = std::nullopt;
  std::optional<std::uint32_t> uid = std::nullopt;  ///< The effective one, as ps tells.
  /// Of the main thread only, or of the thread in /proc/PID/task/TID/status. Every kernel tells.
  std::optional<std::uint64_t> voluntary_switches = std::nullopt;
  std::optional<std::uint64_t> nonvoluntary_switches = std::nullopt;
};

/// Parses the whole text. Fails with `malformed` when only one of VmRSS and VmSwap is there, or
/// VmHWM without them, or only one kind of switches; when a line of the above is not a number (of
/// kB); and when the text ends before the Threads line, which follows the memory.
metrics::Result<ProcessStatus> parse_process_status(std::string_view text);

/// /proc/PID/io: storage traffic of the process, its threads that ended included.
struct ProcessIo {
  std::uint64_t read_bytes = 0;   ///< Fetched from storage; reads from the page cache are not.
  std::uint64_t write_bytes = 0;  ///< Bound for storage; deleting the file first takes none back.
};

/// Parses the whole text. Fails with `malformed` when a line of the above is missing or is not a
/// number.
metrics::Result<ProcessIo> parse_process_io(std::string_view text);

}  // namespace procfs
