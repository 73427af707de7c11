// More files of one process below /proc/PID, read for pages, see proc(5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/result.hpp"

namespace procfs {

/// /proc/PID/limits.
struct ProcessLimits {
  std::optional<std::uint64_t> open_files;  ///< The soft limit. Absent where there is none.
};

/// Parses the whole text. Fails with `malformed` when the line is missing or is neither a number
/// nor "unlimited".
metrics::Result<ProcessLimits> parse_process_limits(std::string_view text);

/// /proc/PID/smaps_rollup (Linux 4.14): shares of memory, where what n processes share counts as an
/// n-th. The kernel walks all pages for it: 4.5 s for 200 GB, in which the process cannot map
/// memory.
struct ProcessSmapsRollup {
  std::uint64_t proportional_bytes = 0;          ///< Pss.
  std::uint64_t proportional_swapped_bytes = 0;  ///< SwapPss.
};

/// Parses the whole text. Fails with `malformed` when a line of the above is missing or is not a
/// number of kB.
metrics::Result<ProcessSmapsRollup> parse_smaps_rollup(std::string_view text);

/// /proc/PID/statm, the cheapest way to the memory of a process; zeros without an address space.
struct ProcessStatm {
  std::uint64_t virtual_pages = 0;
  std::uint64_t resident_pages = 0;
};

/// Parses the whole text. Fails with `malformed` when one of the first two fields is no number.
metrics::Result<ProcessStatm> parse_process_statm(std::string_view text);

}  // namespace procfs
