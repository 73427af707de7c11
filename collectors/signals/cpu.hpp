// What the CPUs did between two ticks.
#pragma once

#include <optional>

#include "collectors/signals/reading.hpp"

namespace collectors::signals {

/// Of all CPUs together. Nothing when /proc/stat was not read twice, and when the numbers cannot be
/// right: while a CPU is offline the kernel takes its idle time from somewhere else, so that the
/// sum may jump, either way.
std::optional<procfs::CpuShares> cpu_shares(const HostReading& before, const HostReading& now,
                                            double seconds);

/// The busy share of the busiest of the CPUs that ran the whole time. One that was switched off and
/// on has spent too little or, with its counters set back, seems to have spent too much.
std::optional<double> cpu_busiest(const HostReading& before, const HostReading& now,
                                  double seconds);

}  // namespace collectors::signals
