// What a source tells of processes, wherever it has it from: plain data, no methods that read.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace collectors {

inline constexpr double kNanosecondsPerSecond = 1e9;

/// Tells a process from all others since boot: pids come again, a start with the same pid does not.
struct ProcessIdentity {
  std::int32_t pid = 0;
  std::uint64_t start_ticks = 0;  ///< Since boot, as in /proc/PID/stat.

  auto operator<=>(const ProcessIdentity&) const = default;  // NOLINT(modernize-use-nullptr)
};

/// A process' own name: any bytes, the rest is NUL. What /proc adds to a kernel worker's is cut.
using Comm = std::array<char, 16>;

Comm comm_of(std::string_view text);
inline std::string_view text_of(const Comm& comm) {
  const std::string_view whole(comm.data(), comm.size());
  return whole.substr(0, whole.find('\0'));
}

/// What only grows in the life of a process, CPU time apart. Threads that ended are included.
enum class Count : std::uint8_t {
  minor_faults,
  major_faults,
  read_bytes,  ///< Storage traffic, as in /proc/PID/io.
  write_bytes,
  voluntary_switches,
  involuntary_switches,
  cpu_delay_ns,  ///< Waited for a CPU. Of threads alive, so it may go back.
};
inline constexpr std::size_t kCounts = 7;

struct ProcessUse {
  std::uint64_t cpu_ns = 0;
  std::uint64_t user_ns = 0;  ///< The part of cpu_ns outside the kernel; an estimate.
  std::array<std::uint64_t, kCounts> counts{};
  std::uint8_t readable = 0;  ///< Bit n: counts[n] could be read.

  void set(Count count, std::uint64_t value) {
    counts[static_cast<std::size_t>(count)] = value;
    readable |= static_cast<std::uint8_t>(1U << static_cast<unsigned>(count));
  }
  /// Nothing where it could not be read.
  [[nodiscard]] std::optional<std::uint64_t> get(Count count) const {
    const auto index = static_cast<std::size_t>(count);
    return (readable >> index & 1U) != 0 ? std::optional(counts[index]) : std::nullopt;
  }
  /// Both taken together, readable where either was.
  void add(const ProcessUse& more);
};

/// What `now` has more than `counted`, which becomes the larger of both: a value that steps back
/// and recovers must not count twice.
ProcessUse taken_growth(const ProcessUse& now, ProcessUse& counted);

/// What names a process' group. It may change with an exec.
struct ProcessBasics {
  ProcessIdentity identity;
  Comm comm{};
  std::int32_t parent_pid = 0;  ///< 0 when unknown.
  std::optional<std::uint32_t> user_id;
  std::uint64_t cgroup_id = 0;  ///< In the default (v2) hierarchy; 0 when unknown.
  std::uint32_t execs = 0;      ///< Changes with every exec; 0 where the source cannot tell.
  bool is_kernel_thread = false;
};

/// Whether a process may have become another program, or goes by another name.
bool has_changed(const ProcessBasics& before, const ProcessBasics& now);

struct ProcessMemory {
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t swapped_bytes = 0;
  std::uint64_t peak_resident_bytes = 0;  ///< The kernel's high-water mark, since the last exec.
};

/// Shares of memory: what n processes have together counts as an n-th for each.
struct ProportionalMemory {
  std::uint64_t resident_bytes = 0;
  std::uint64_t swapped_bytes = 0;
};

/// A process that runs, or a zombie.
struct ProcessSample {
  ProcessBasics basics;
  bool is_unchanged = false;  ///< It did not run since the walk before, which had it just so.
  ProcessUse use;
  char state = '?';
  std::uint32_t threads = 0;
  std::optional<ProcessMemory> memory;  ///< Kernel threads and zombies have none.
  std::optional<ProportionalMemory> proportional;
  std::optional<std::uint64_t> open_files;
  std::optional<std::uint64_t> open_files_limit;
  std::uint32_t walks = 1;  ///< That it was last read so many walks ago, this one included.
};

enum class ExitReason : std::uint8_t { normal, error, signal, oom };
inline constexpr std::array<std::string_view, 4> kExitReasons = {"normal", "error", "signal",
                                                                 "oom"};

/// A process that has ended, with its last numbers.
struct ProcessExit {
  ProcessBasics basics;
  ProcessUse use;
  std::optional<std::uint64_t> peak_resident_bytes;
  ExitReason reason = ExitReason::normal;
};

/// Ended processes of which only the sum is known.
struct ExitSum {
  bool is_nameless = false;  ///< Of any names, users and cgroups: those below say nothing.
  Comm comm{};
  std::optional<std::uint32_t> user_id;
  std::uint64_t cgroup_id = 0;
  std::array<std::uint64_t, kExitReasons.size()> exits{};
  ProcessUse use;
  std::optional<std::uint64_t> peak_resident_bytes;
};

/// All of one walk over the host's processes, in the memory of the last.
struct ProcessWalkResult {
  std::vector<ProcessSample> processes;  ///< In an order that stays: two walks list alike.
  std::vector<std::int32_t> unread;      ///< Alive, but not read this time.
};

/// What ended since the last time.
struct ProcessExits {
  std::vector<ProcessExit> exits;
  std::vector<ExitSum> sums;
};

}  // namespace collectors
