// Shares of memory, read where nobody waits for long.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

#include "collectors/process/cpu_clock.hpp"
#include "collectors/process/observation.hpp"
#include "procfs/file_reader.hpp"

namespace collectors {

/// Reads /proc/PID/smaps_rollup in a thread of its own: the kernel looks at every page of the
/// process for it, during which the process cannot map memory, and makes the reader wait while a
/// stuck process changes its memory. Each page has so much CPU time for that; a process that takes
/// more is read whole, and the next pages have so much less. What a page does not get, it has from
/// an earlier one. Not thread-safe itself.
class SmapsReader {
 public:
  struct Limits {
    std::chrono::nanoseconds cpu_per_page = std::chrono::milliseconds(500);
    /// So long a page waits, unless the thread is still busy for an earlier one.
    std::chrono::nanoseconds patience = std::chrono::milliseconds(200);
  };

  /// `cpu_clock` is asked in the thread.
  SmapsReader(const procfs::FileReader& proc, Limits limits, CpuClock cpu_clock = thread_cpu);
  SmapsReader(const SmapsReader&) = delete;
  SmapsReader& operator=(const SmapsReader&) = delete;
  SmapsReader(SmapsReader&&) = delete;
  SmapsReader& operator=(SmapsReader&&) = delete;
  /// Does not wait for a read that is under way.
  ~SmapsReader();

  /// Of pages, in processes. Only grows.
  struct Cuts {
    std::uint64_t time = 0;  ///< What is shown is of an earlier page, or nothing.
    std::uint64_t unreadable = 0;
  };
  [[nodiscard]] const Cuts& cuts() const { return cuts_; }

  /// For a page: reads those first that were read longest ago, and of these small ones before large
  /// ones. Sets `proportional` of the processes that were ever read.
  void complete(ProcessWalkResult& walk);

 private:
  struct Shared;
  struct Known {
    ProcessIdentity identity;
    std::uint64_t page = 0;  // that the last answer is for
    bool is_readable = true;
    std::optional<ProportionalMemory> memory;
  };
  void ask(const ProcessWalkResult& walk);
  void take_answers();

  std::shared_ptr<Shared> shared_;  // with the thread, which may outlive this object
  Limits limits_;
  bool is_running_ = false;
  std::uint64_t page_ = 0;
  std::unordered_map<std::int32_t, Known> known_;  // by pid
  Cuts cuts_;
};

}  // namespace collectors
