// What the programs of the storms share: CPU time that is used, and what the kernel tells of it.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <ctime>

namespace tests {

/// Ends this process, and so the program, whose parts wait for each other.
[[noreturn]] inline void fail(const char* what) {
  std::perror(what);
  ::_exit(1);
}

/// Microseconds of user and system time of RUSAGE_SELF or RUSAGE_CHILDREN, to the nanosecond but
/// for the last cut.
inline std::int64_t cpu_us_of(int who) {
  rusage usage{};
  if (::getrusage(who, &usage) != 0) fail("getrusage");
  constexpr std::int64_t kMicrosecondsPerSecond = 1'000'000;
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * kMicrosecondsPerSecond +
         usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

/// Until this thread has used so much, what it used before included.
inline void burn(int microseconds) {
  timespec used{};
  do {
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  } while (used.tv_sec * 1'000'000 + used.tv_nsec / 1000 < microseconds);
}

}  // namespace tests
