// What the numbers of a record mean, computed as the kernel does for /proc. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "bpf/process_records.h"

namespace bpf {

/// CPU time as /proc/PID/stat and getrusage show it, in nanoseconds.
struct CpuTimes {
  std::uint64_t user_ns = 0;
  std::uint64_t system_ns = 0;
};

/// Splits the exact `run_time_ns` in the ratio of the tick-sampled times: the kernel's
/// cputime_adjust(). All of it is user time when no tick fell into the system time. Of two readings
/// of a process the sum never falls, but one part may, a little: the kernel remembers what it has
/// shown and holds that part, and so must who feeds a counter.
CpuTimes scaled_times(std::uint64_t user_time_ns, std::uint64_t system_time_ns,
                      std::uint64_t run_time_ns);

inline CpuTimes scaled_times(const ProcessCounters& counters) {
  return scaled_times(counters.user_time_ns, counters.system_time_ns, counters.run_time_ns);
}

/// As in /proc/PID/stat: R, S, D, T, t, X, Z, P or I.
char state_letter(const ProcessRecord& record);

/// The name up to its NUL: any bytes.
template <class Record>
std::string_view name_of(const Record& record) {
  const std::string_view comm{static_cast<const char*>(record.comm), sizeof record.comm};
  return comm.substr(0, comm.find('\0'));
}

/// Of a ProcessRecord or an ExitRecord.
template <class Record>
bool is_kernel_thread(const Record& record) {
  constexpr std::uint32_t kKernelThread = 0x00200000;  // PF_KTHREAD
  return (record.task_flags & kKernelThread) != 0;
}

}  // namespace bpf
