// The groups of processes: bounded, and what each holds and ever used.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "collectors/process/group_key.hpp"
#include "collectors/process/observation.hpp"
#include "metrics/cumulative_histogram.hpp"
#include "metrics/sliding_extreme.hpp"
#include "procfs/snapshot.hpp"

namespace collectors {

using procfs::Clock;

/// process-exporter's states; all letters of the kernel but the first four are the last.
inline constexpr std::array<std::string_view, 5> kProcessStates = {"Running", "Sleeping", "Waiting",
                                                                   "Zombie", "Other"};

/// Of the members of the last walk. The optional ones are of those that could be read.
struct GroupMembers {
  std::uint64_t processes = 0;
  std::uint64_t threads = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t swapped_bytes = 0;
  std::optional<std::uint64_t> open_files;
  std::optional<double> worst_open_files_ratio;  ///< Of a member's soft limit.
  std::optional<std::uint64_t> oldest_start_ticks;
  std::array<std::uint64_t, kProcessStates.size()> in_state{};

  void add(const ProcessSample& sample);
};

struct ProcessGroup {
  explicit ProcessGroup(std::chrono::nanoseconds peak_window);

  GroupMembers members;
  ProcessUse totals;  ///< Of all processes that ever were in it; never goes back.
  std::uint64_t started = 0;
  std::array<std::uint64_t, kExitReasons.size()> exited{};
  std::uint64_t cpu_ns_at_tick = 0;           ///< totals.cpu_ns of the last tick.
  metrics::CumulativeHistogram cpu_cores;     ///< A sample per tick.
  metrics::SlidingExtreme cpu_cores_peak;     ///< Of the same.
  metrics::SlidingExtreme memory_peak_bytes;  ///< Of single members.
  Clock::time_point last_occupied_at;         ///< When it last had a member, or one ended in it.
};

/// Edges of ProcessGroup::cpu_cores.
inline constexpr std::array<double, 9> kCpuCoresEdges = {0.01, 0.1, 0.5, 0.9, 2, 8, 32, 128, 512};

/// At most `max_groups` groups and the one of kOtherGroup, which takes what finds no place, so that
/// sums over all groups are right whatever happens. A group without members for longer than
/// `keep_empty` is dropped and frees its place; kOtherGroup never is. Addresses of groups stay
/// until they are dropped. Not thread-safe.
class GroupTable {
 public:
  static constexpr std::string_view kOtherGroup = "other";
  struct Limits {
    std::size_t max_groups = 200;
    Clock::duration keep_empty = std::chrono::minutes(10);
  };

  explicit GroupTable(Limits limits) : limits_(limits) {}

  /// The group of that key, or kOtherGroup when it is new and there is no place.
  ProcessGroup& at(const GroupKey& key, Clock::time_point now);
  /// How many processes came into kOtherGroup for want of a place.
  [[nodiscard]] std::uint64_t crowded_out() const { return crowded_out_; }

  /// Drops the groups that have been empty for too long. Nobody may hold their addresses:
  /// last_occupied_at is the caller's to keep.
  void drop_empty(Clock::time_point now);

  using ByKey = std::map<GroupKey, ProcessGroup>;
  ByKey& by_key() { return groups_; }
  [[nodiscard]] const ByKey& by_key() const { return groups_; }

 private:
  Limits limits_;
  ByKey groups_;
  std::uint64_t crowded_out_ = 0;
};

}  // namespace collectors
