#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace procfs {

/// What the kernel tells through system calls instead of files.
/// Function pointers, so that a test host is as fixed as its files.
struct System {
  /// uname(2).
  struct Names {
    std::string system, node, release, version, machine, domain;
  };
  Names (*names)();

  /// The wall clock and the time zone of this process (clock_gettime(2), localtime(3)).
  struct WallClock {
    double seconds = 0;     ///< Since the epoch.
    std::string time_zone;  ///< Abbreviated, such as "CET".
    std::int64_t utc_offset_seconds = 0;
  };
  WallClock (*wall_clock)();

  /// How long the host has been suspended since boot: CLOCK_BOOTTIME less CLOCK_MONOTONIC.
  std::chrono::nanoseconds (*suspended)();

  double ticks_per_second = 0;   ///< Unit of all ticks in /proc: sysconf(_SC_CLK_TCK).
  std::uint64_t page_bytes = 0;  ///< sysconf(_SC_PAGESIZE).
};

/// The machine this process runs on.
System this_system();

}  // namespace procfs
