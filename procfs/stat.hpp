#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "metrics/result.hpp"

namespace procfs {

/// One `cpu` line of /proc/stat, in clock ticks since boot. `user` already holds `guest`, and
/// `nice` holds `guest_nice`.
struct CpuTicks {
  std::uint64_t user = 0;
  std::uint64_t nice = 0;
  std::uint64_t system = 0;
  std::uint64_t idle = 0;
  std::uint64_t iowait = 0;  ///< May step backwards between two readings.
  std::uint64_t irq = 0;
  std::uint64_t softirq = 0;
  std::uint64_t steal = 0;
  std::uint64_t guest = 0;
  std::uint64_t guest_nice = 0;
};

/// The columns of a `cpu` line, in file order.
inline constexpr std::array kCpuTicksColumns = {
    &CpuTicks::user,   &CpuTicks::nice,      &CpuTicks::system,  &CpuTicks::idle,
    &CpuTicks::iowait, &CpuTicks::irq,       &CpuTicks::softirq, &CpuTicks::steal,
    &CpuTicks::guest,  &CpuTicks::guest_nice};

struct NumberedCpu {
  unsigned id = 0;  ///< Gaps are normal: an offline CPU has no line.
  CpuTicks ticks;
};

/// /proc/stat, see proc(5).
struct Stat {
  CpuTicks all_cpus;
  std::vector<NumberedCpu> cpus;
  std::uint64_t interrupts = 0;  ///< Serviced since boot.
  std::uint64_t context_switches = 0;
  std::uint64_t forks = 0;
  std::uint64_t boot_time_seconds = 0;  ///< Unix time.
  std::uint64_t processes_running = 0;
  std::uint64_t processes_blocked = 0;
};

/// Parses the whole text. Fails with `malformed` when any line of the above is missing or is not
/// numbers; unknown lines are passed over.
metrics::Result<Stat> parse_stat(std::string_view text);

/// What the CPU time between two readings went to. A column that went back counts as still.
struct CpuShares {
  double busy = 0;    ///< 0..1: neither idle nor waiting for I/O, steal included.
  double iowait = 0;  ///< 0..1
  double steal = 0;   ///< 0..1
  double ticks = 0;   ///< All of it; above 0.
};

/// Nothing when no tick passed.
std::optional<CpuShares> cpu_shares(const CpuTicks& before, const CpuTicks& after);

/// Share of the time between two readings spent neither idle nor waiting for I/O, 0..1, as psutil
/// and top count it: steal is busy, guest time is counted once, a column that went back counts as
/// still. Nothing when no tick passed.
std::optional<double> busy_ratio(const CpuTicks& before, const CpuTicks& after);

}  // namespace procfs
