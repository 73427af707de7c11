// From the files of /proc/PID to what the ledger takes.
#pragma once

#include <cstdint>

#include "collectors/process/observation.hpp"
#include "procfs/process_reader.hpp"
#include "procfs/system.hpp"

namespace collectors {

struct ProcUnits {
  explicit ProcUnits(const procfs::System& system)
      : nanoseconds_per_tick(static_cast<std::uint64_t>(1e9 / system.ticks_per_second)) {}

  std::uint64_t nanoseconds_per_tick;
};

/// Context switches are left out: /proc has those of each thread only.
ProcessSample proc_sample(const procfs::Process& process, const ProcUnits& units);

}  // namespace collectors
