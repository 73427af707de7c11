// All processes and all exits of the host, from BPF programs in the kernel.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "bpf/process_records.h"
#include "metrics/result.hpp"

namespace bpf {

/// How much a walk reads of each process.
enum class Detail : bool {
  /// Memory may be off by what the CPUs have not yet handed in, and open files are not counted. A
  /// process that did not run since the walk before may have the record of then: see
  /// PROCESS_IS_UNCHANGED. For a walk every second.
  counters,
  /// Memory is exact and open files are counted.
  complete,
};

/// Exits since the drain before: each process that is gone is in exactly one of the three.
struct Exits {
  std::vector<ExitRecord> records;  ///< Oldest first.
  /// Those for which the ring had no room, summed up; a key comes once.
  std::vector<std::pair<ExitKey, ExitSums>> summed;
  /// Those for which not even a key had room. Of its peak, all since open().
  ExitSums nameless{};
};

/// Watches the processes of the whole host, those of other users and containers too. Its programs
/// are in the kernel until it is destroyed. Not thread-safe; libbpf's log is taken over by open().
///
/// Needs Linux 6.10 (kfuncs in programs that are run by a call) with CONFIG_DEBUG_INFO_BTF, and
/// CAP_BPF and CAP_PERFMON, for open() alone: all else works when every capability has been
/// dropped. Exact peaks of processes that are gone need 6.16, see EXIT_PEAK_IS_EXACT.
///
/// A security module may hide processes from it: compare with /proc, and read from there what is
/// missing. pid 1 was missing on one host, which refused even root to look into it. No program ran
/// on a CPU while a thread of that process ran on it; as processes are freed by interrupts, in
/// whatever context, up to one in twenty was freed unseen there. Such a process is drained some
/// seconds later, with what was seen at the end of its last thread: see EXIT_IS_LAST_SIGHT.
class ProcessWatch {
 public:
  using Clock = std::chrono::steady_clock;

  struct Options {
    /// Of records of exits, rounded up to a power of two of pages. 144 bytes each, and all of it
    /// is resident: 1 MiB holds 6,898 exits between two drains.
    std::uint32_t ring_bytes = 1U << 20U;
    /// Records that a walk writes in one go; more processes take several, each over all of them.
    /// 0: twice as many as there are processes, at least 8,192. 208 bytes each in the kernel, and
    /// resident as far as they have been needed.
    std::uint32_t table_records = 0;
    /// A walk has no more than these.
    std::size_t max_processes = 65'536;
    /// Places in tables of open files that a complete walk looks at: of the processes after that,
    /// open files are not counted. 8 million take about a millisecond.
    std::uint32_t open_file_places = 1U << 23U;
    /// Keys for exits that found the ring full. 400 bytes each in the kernel.
    std::uint32_t sum_keys = 1024;
    /// A process that was freed unseen is told so long after a drain first missed it, or half as
    /// long again, and comes with the drain after that.
    std::chrono::milliseconds patience{5000};
  };

  /// Loads the programs and starts to account exits: what is freed from now on is drained.
  /// Fails with `unsupported` (a kernel too old or without BTF, a pid namespace of our own, built
  /// without BPF), `denied`, or `io`; the detail is libbpf's or the kernel's own word.
  static metrics::Result<ProcessWatch> open(const Options& options);

  ProcessWatch(ProcessWatch&& other) noexcept;
  ProcessWatch& operator=(ProcessWatch&& other) noexcept;
  ProcessWatch(const ProcessWatch&) = delete;
  ProcessWatch& operator=(const ProcessWatch&) = delete;
  ~ProcessWatch();

  /// Every process, zombies and kernel threads included, valid until the next walk. In the kernel's
  /// order, that of their making; by start time where the table is too small for all of them.
  /// One that is being freed is not in it: its exit is drained after this walk at the earliest.
  /// Beyond Options::max_processes some are left out, the same ones in each walk. Fails with `io`.
  metrics::Result<std::span<const ProcessRecord>> walk(Detail detail);

  /// Replaces what is in `exits`. A process is freed when its parent has waited for it, some
  /// milliseconds later; an exit is never drained twice. Bounded by the sizes in Options. Sums of a
  /// busy moment may come with the drain after. Fails with `io`; what could not be read then comes
  /// later.
  metrics::Result<void> drain_exits(Exits& exits, Clock::time_point now);

  /// How many exits were told by their last sight, ever: see EXIT_IS_LAST_SIGHT.
  [[nodiscard]] std::uint64_t last_sights() const;
  /// How many the last walk left out.
  [[nodiscard]] std::size_t left_out() const;
  /// Whether cpu_delay_ns means something: CONFIG_SCHED_INFO.
  [[nodiscard]] bool has_cpu_delay() const;
  /// Whether read_bytes and write_bytes mean something: CONFIG_TASK_IO_ACCOUNTING.
  [[nodiscard]] bool has_storage_bytes() const;

 private:
  class Implementation;
  explicit ProcessWatch(std::unique_ptr<Implementation> implementation);

  std::unique_ptr<Implementation> implementation_;
};

}  // namespace bpf
