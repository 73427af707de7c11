#pragma once

#include <chrono>
#include <ctime>
#include <functional>

namespace collectors {

/// Tells CPU time, so that a test can say what something costs.
using CpuClock = std::function<std::chrono::nanoseconds()>;

/// That of the calling thread.
inline std::chrono::nanoseconds thread_cpu() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace collectors
