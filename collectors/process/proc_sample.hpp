// From the files of /proc/PID to what the ledger takes.
#pragma once

#include <cstdint>
#include <optional>

#include "collectors/process/observation.hpp"
#include "collectors/process/reaped_children.hpp"
#include "procfs/process_reader.hpp"
#include "procfs/system.hpp"

namespace collectors {

struct ProcUnits {
  explicit ProcUnits(const procfs::System& system)
      : nanoseconds_per_tick(static_cast<std::uint64_t>(1e9 / system.ticks_per_second)),
        page_bytes(system.page_bytes) {}

  std::uint64_t nanoseconds_per_tick;
  std::uint64_t page_bytes;
};

/// Context switches of processes with several threads are left out: /proc has those of each only.
ProcessSample proc_sample(const procfs::Process& process, const ProcUnits& units);

/// Whether it is still the process and the program of that sample.
bool is_of(const ProcessSample& sample, const procfs::ProcessStat& stat);
/// What changes most often: `stat` and, of a process with memory, `statm`. The rest stays.
void update_sample(ProcessSample& sample, const procfs::ProcessStat& stat,
                   const std::optional<procfs::ProcessStatm>& statm, const ProcUnits& units);

FamilyReading family_reading(const procfs::ProcessStat& stat);
/// Makes what was found of its children part of what a process used itself.
void add_children(ProcessSample& sample, const ReapedChildren::Found& found,
                  const ProcUnits& units);

}  // namespace collectors
