// What the benchmark programs share: the CPU clocks of processes, order statistics, and what they
// do when a system call fails.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <numeric>
#include <system_error>
#include <vector>

namespace bench {

/// Throws std::system_error of errno.
[[noreturn]] inline void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// Throws std::system_error when the clock, or the process behind it, is gone.
inline std::int64_t clock_nanoseconds(clockid_t clock) {
  timespec time{};
  if (clock_gettime(clock, &time) != 0) throw_errno("clock_gettime");
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

inline std::int64_t wall_nanoseconds() { return clock_nanoseconds(CLOCK_MONOTONIC); }
inline std::int64_t own_cpu_nanoseconds() { return clock_nanoseconds(CLOCK_PROCESS_CPUTIME_ID); }

/// The CPU time of all threads of another process, living and dead: what utime and stime of
/// /proc/<pid>/stat are made from, without their rounding to 10 ms. The kernel adds up the running
/// slice of a thread only at the next tick or switch, so read it while the process sleeps.
inline std::int64_t cpu_nanoseconds_of(pid_t pid) {
  clockid_t clock{};
  if (const int error = clock_getcpuclockid(pid, &clock); error != 0) {
    throw std::system_error(error, std::generic_category(), "clock_getcpuclockid");
  }
  return clock_nanoseconds(clock);
}

/// The value below which the share `rank` (0..1) of the values lies; 0 of no values.
inline double quantile(std::vector<double> values, double rank) {
  if (values.empty()) return 0;
  const auto last = static_cast<double>(values.size() - 1);
  const auto nth = values.begin() + std::lround(rank * last);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

inline double median(const std::vector<double>& values) { return quantile(values, 0.5); }

inline double mean(const std::vector<double>& values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace bench
