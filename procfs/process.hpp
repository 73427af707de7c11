// The files of one process below /proc/PID, see proc(5).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "metrics/result.hpp"

namespace procfs {

/// /proc/PID/stat: numbers of the whole process, its threads that ended included. What its
/// children used is not in them.
struct ProcessStat {
  std::int32_t pid = 0;
  std::string comm;  ///< Any bytes the process chose, at most 15; up to 63 for a kernel worker.
  char state = '?';  ///< Of the main thread: R, S, D, Z, T, t, I, or X while it is being reaped.
  std::int32_t parent_pid = 0;
  std::uint64_t minor_faults = 0;
  std::uint64_t major_faults = 0;  ///< Had to wait for a disk.
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  std::uint64_t threads = 0;           ///< Alive now.
  std::uint64_t start_time_ticks = 0;  ///< Since boot. Tells two processes of the same pid apart.
  std::uint64_t virtual_bytes = 0;     ///< 0 without an address space: kernel threads, zombies.
};

/// Parses the whole text. The name reaches from the first '(' to the last ')', as it may hold
/// parentheses, newlines and text that looks like the columns after it.
/// Fails with `malformed` when there is no such name or a column of the above is not a number.
metrics::Result<ProcessStat> parse_process_stat(std::string_view text);

/// /proc/PID/status, of which only the memory is read. A process without an address space has none
/// of these lines, and truly nothing in memory or swap.
struct ProcessStatus {
  std::uint64_t resident_bytes = 0;  ///< VmRSS, as in statm; the rss of stat is approximate (6.2).
  std::uint64_t swapped_bytes = 0;   ///< VmSwap.
};

/// Parses the whole text. Fails with `malformed` when only one of the two lines is there, one is
/// not a number of kB, or the text ends before the Threads line, which follows them.
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
