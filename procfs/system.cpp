#include "procfs/system.hpp"

#include <sys/utsname.h>
#include <unistd.h>

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

}  // namespace

System this_system() {
  return {.names = read_names,
          .wall_clock = read_wall_clock,
          .ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK)),
          .page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))};
}

}  // namespace procfs
