#include "collectors/signals/cpu.hpp"

#include <algorithm>

namespace collectors::signals {
namespace {

constexpr double kSlackTicks = 2;  // by which a reading of a CPU may be off

std::optional<procfs::CpuShares> plausible_shares(const procfs::CpuTicks& before,
                                                  const procfs::CpuTicks& now,
                                                  double expected_ticks, double slack_ticks) {
  if (now.idle < before.idle) return std::nullopt;
  const auto shares = procfs::cpu_shares(before, now);
  return shares && shares->ticks > expected_ticks * 2 + slack_ticks ? std::nullopt : shares;
}

}  // namespace

std::optional<procfs::CpuShares> cpu_shares(const HostReading& before, const HostReading& now,
                                            double seconds) {
  if (!before.stat || !now.stat) return std::nullopt;
  const auto cpus = static_cast<double>(std::max<std::size_t>(now.stat->cpus.size(), 1));
  return plausible_shares(before.stat->all_cpus, now.stat->all_cpus,
                          cpus * seconds * now.ticks_per_second, cpus * kSlackTicks);
}

std::optional<double> cpu_busiest(const HostReading& before, const HostReading& now,
                                  double seconds) {
  if (!before.stat || !now.stat) return std::nullopt;
  const double expected_ticks = seconds * now.ticks_per_second;
  std::optional<double> busiest;
  auto was = before.stat->cpus.begin();
  for (const auto& cpu : now.stat->cpus) {  // both in the order of their numbers
    while (was != before.stat->cpus.end() && was->id < cpu.id) ++was;
    if (was == before.stat->cpus.end()) break;
    if (was->id != cpu.id) continue;
    const auto shares = plausible_shares(was->ticks, cpu.ticks, expected_ticks, kSlackTicks);
    if (!shares || shares->ticks + kSlackTicks < expected_ticks / 2) continue;
    busiest = std::max(busiest.value_or(0), shares->busy);
  }
  return busiest;
}

}  // namespace collectors::signals
