// Processes that a walk in the kernel does not see.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "collectors/process/observation.hpp"
#include "collectors/process/proc_sample.hpp"
#include "metrics/result.hpp"
#include "procfs/process_reader.hpp"

namespace collectors {

/// A security module may hide processes from BPF programs: what /proc lists and they do not see is
/// read from there. Not thread-safe.
class HiddenProcesses {
 public:
  /// `proc` must outlive it.
  HiddenProcesses(procfs::FileReader& proc, const ProcUnits& units);

  /// Looks for them: costs more than a walk. `seen` are the pids of a walk before, in any order;
  /// `walk_again` adds those of a second one, for who is made in between is not hidden.
  void find(std::vector<std::int32_t> seen,
            const std::function<void(std::vector<std::int32_t>&)>& walk_again);

  /// Adds them to a walk: read when it is for a page or they are few, else as unread.
  void add_to(ProcessWalkResult& walk, bool is_page);

 private:
  procfs::ProcessReader reader_;
  ProcUnits units_;
  std::vector<ProcessIdentity> hidden_;  // start_ticks is 0 before the first read
};

}  // namespace collectors
