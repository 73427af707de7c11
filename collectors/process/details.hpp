// What costs extra to know of processes: read for pages only or in part, beside what the source
// tells, whichever it is.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "collectors/collector.hpp"
#include "collectors/process/families.hpp"
#include "collectors/process/ledger.hpp"
#include "collectors/process/smaps_reader.hpp"
#include "collectors/process/thread_watch.hpp"
#include "metrics/family_list.hpp"
#include "metrics/sink.hpp"
#include "procfs/process_reader.hpp"

namespace collectors {

inline constexpr Setting kProcessThreads = {
    "threads", "threads by their names within the groups: true or false", "false"};
inline constexpr Setting kProcessSmaps = {
    "smaps", "proportional memory from /proc/PID/smaps_rollup: true or false", "false"};
inline constexpr Setting kProcessSmapsBudget = {
    "smaps-budget", "CPU time for smaps_rollup per scrape, in milliseconds", "500"};

/// Not thread-safe.
class ProcessDetails {
 public:
  /// `keep_empty`: how long names of threads stay without any. Throws std::invalid_argument when a
  /// setting is not what it must be.
  ProcessDetails(const Host& host, Clock::duration keep_empty);

  /// Before the ledger takes the walk: adds to it what the source does not tell.
  void complete(WalkFor purpose, ProcessWalkResult& walk, Clock::time_point now);
  /// After the ledger took the walk of a page.
  void account(ProcessLedger& ledger, const ProcessWalkResult& walk, Clock::time_point now);

  /// The families of threads, and what was cut.
  void emit(metrics::Sink& sink, const GroupFamiliesInput& input) const;
  /// Those families.
  static void list(metrics::FamilyList& list);

 private:
  void add_limits(ProcessWalkResult& walk);

  procfs::ProcessReader reader_;
  std::optional<ThreadWatch> threads_;
  std::optional<SmapsReader> smaps_;
};

}  // namespace collectors
