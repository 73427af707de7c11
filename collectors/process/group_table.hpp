// The groups of processes: bounded, and what each holds and ever used.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/process/group_key.hpp"
#include "collectors/process/observation.hpp"
#include "metrics/cumulative_histogram.hpp"
#include "metrics/sliding_extreme.hpp"
#include "procfs/snapshot.hpp"

namespace collectors {

using procfs::Clock;

/// Threads of a group that have a name in common.
struct NamedThreads {
  std::uint64_t count = 0;  ///< Alive when the last page was made.
  ProcessUse totals;        ///< Of all that ever were seen under it; never goes back.
  Clock::time_point last_occupied_at;
};
using ThreadsByName = std::map<std::string, NamedThreads, std::less<>>;  ///< Valid UTF-8.
/// How many threads sleep in a function of the kernel, by its name.
using WaitChannels = std::map<std::string, std::uint64_t, std::less<>>;

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
  std::optional<ProportionalMemory> proportional;
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
  std::uint64_t peak_bytes_in_walk = 0;       ///< The same, of the walk under way.
  std::optional<std::uint32_t> owner;         ///< The user whose process was the first in it.
  ThreadsByName threads;                      ///< Kept by ThreadAccounts.
  WaitChannels wait_channels;                 ///< The same.
  Clock::time_point last_occupied_at;         ///< When it last had a member, or one ended in it.
};

/// Edges of ProcessGroup::cpu_cores.
inline constexpr std::array<double, 9> kCpuCoresEdges = {0.01, 0.1, 0.5, 0.9, 2, 8, 32, 128, 512};

/// At most `max_groups` groups and the one of kOtherGroup, which takes what finds no place, so that
/// sums over all groups are right whatever happens. A group without members for longer than
/// `keep_empty` is dropped and frees its place; kOtherGroup never is. No user but root gets more
/// than three quarters of the places, so that nobody can keep all others out by inventing names.
/// Addresses of groups stay until they are dropped. Not thread-safe.
class GroupTable {
 public:
  static constexpr std::string_view kOtherGroup = "other";
  struct Limits {
    std::size_t max_groups = 200;
    Clock::duration keep_empty = std::chrono::minutes(10);
    std::size_t labels = 0;  ///< So many values has each key.
  };

  explicit GroupTable(Limits limits);

  struct Place {
    ProcessGroup& group;
    bool is_crowded_out = false;  ///< It is kOtherGroup for want of a place.
  };
  /// The group of that key, or kOtherGroup when it is new and there is no place. `user_id`: whose
  /// process it is for.
  Place at(const GroupKey& key, std::optional<std::uint32_t> user_id, Clock::time_point now);
  ProcessGroup& other(Clock::time_point now);

  /// So many more processes came into kOtherGroup for want of a place.
  void count_crowded_out(std::uint64_t processes) { crowded_out_ += processes; }
  [[nodiscard]] std::uint64_t crowded_out() const { return crowded_out_; }

  /// Drops the groups that have been empty for too long, and says how many. Nobody may hold their
  /// addresses: last_occupied_at is the caller's to keep.
  std::size_t drop_empty(Clock::time_point now);

  using ByKey = std::map<GroupKey, ProcessGroup>;
  ByKey& by_key() { return groups_; }
  [[nodiscard]] const ByKey& by_key() const { return groups_; }

 private:
  [[nodiscard]] bool has_place_for(std::optional<std::uint32_t> user_id) const;
  ProcessGroup& made(const GroupKey& key, Clock::time_point now);

  Limits limits_;
  GroupKey other_;
  ByKey groups_;
  std::uint64_t crowded_out_ = 0;
};

}  // namespace collectors
