#include "procfs/system.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

namespace procfs {
namespace {

System::Names read_names() {
  utsname names{};
  ::uname(&names);  // fails only for a bad pointer
  return {static_cast<const char*>(names.sysname), static_cast<const char*>(names.nodename),
          static_cast<const char*>(names.release), static_cast<const char*>(names.version),
          static_cast<const char*>(names.machine), static_cast<const char*>(names.domainname)};
}

System::WallClock read_wall_clock() {
  constexpr double kSecondsPerNanosecond = 1e-9;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  std::tm local{};
  ::localtime_r(&now.tv_sec, &local);
  return {
      static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * kSecondsPerNanosecond,
      local.tm_zone, local.tm_gmtoff};
}

std::chrono::nanoseconds read_clock(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

std::chrono::nanoseconds read_suspended() {
  // A thread that is held up between two clocks must not look like a host that was suspended.
  constexpr std::chrono::milliseconds kGood{1};
  constexpr int kAttempts = 10;
  auto suspended = std::chrono::nanoseconds::max();
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto before = read_clock(CLOCK_MONOTONIC);
    suspended = std::min(suspended, read_clock(CLOCK_BOOTTIME) - before);
    if (read_clock(CLOCK_MONOTONIC) - before < kGood) break;
  }
  return suspended;
}

}  // namespace

System this_system() {
  return {.names = read_names,
          .wall_clock = read_wall_clock,
          .suspended = read_suspended,
          .ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK)),
          .page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))};
}

}  // namespace procfs
