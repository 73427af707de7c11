// Reads the threads of processes, as far as there is time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "collectors/collector.hpp"
#include "collectors/process/cpu_clock.hpp"
#include "collectors/process/ledger.hpp"
#include "collectors/process/observation.hpp"
#include "collectors/process/thread_accounts.hpp"
#include "procfs/process_reader.hpp"

namespace collectors {

/// Four files of /proc/PID/task/TID for each thread of those processes that have several and, as
/// far as the source can tell, of which one ran; one file for the others. What there was no time
/// for is read first the next time. Not thread-safe.
class ThreadWatch {
 public:
  struct Limits {
    std::chrono::nanoseconds page_cpu = std::chrono::milliseconds(200);
    std::chrono::nanoseconds sample_cpu = std::chrono::milliseconds(10);
    double sample_share = 0.005;   ///< Of a core, for all samples between two pages.
    std::size_t threads = 65'536;  ///< Of all processes.
    std::size_t of_a_process = 4096;
    ThreadAccounts::Limits names = {};
  };
  ThreadWatch(const Host& host, Limits limits, CpuClock cpu_clock = thread_cpu);

  /// What pages had to do without, in threads. Only grows.
  struct Cuts {
    std::uint64_t time = 0;   ///< The threads shown are those of an earlier page.
    std::uint64_t limit = 0;  ///< More threads than are read.
    std::uint64_t unreadable = 0;
  };
  [[nodiscard]] const Cuts& cuts() const { return cuts_; }
  [[nodiscard]] std::uint64_t crowded_out() const { return accounts_.crowded_out(); }

  /// Before the ledger takes the walk: reads, and adds context switches where the source has none.
  /// A sample is left out when it is too early for one.
  void look(WalkFor purpose, ProcessWalkResult& walk, Clock::time_point now);
  /// After the ledger took the walk of a page.
  void account(ProcessLedger& ledger, const ProcessWalkResult& walk, Clock::time_point now);

 private:
  void look_at(WalkFor purpose, const ProcessSample& process, bool is_late);
  void read(WalkFor purpose, const ProcessSample& process);
  [[nodiscard]] ThreadSample sample_of(procfs::Thread thread) const;

  procfs::ProcessReader reader_;
  Limits limits_;
  CpuClock cpu_clock_;
  std::uint64_t nanoseconds_per_tick_;
  ThreadAccounts accounts_;
  ProcessIdentity next_;  // where there was no more time
  Clock::time_point due_at_;
  Cuts cuts_;
};

}  // namespace collectors
