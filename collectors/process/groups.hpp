// Processes by name: what the groups hold now, and what all their processes ever used.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "procfs/process_reader.hpp"
#include "procfs/snapshot.hpp"

namespace collectors {

using procfs::Clock;

/// What only grows in the life of a process.
struct ProcessCounters {
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  std::uint64_t minor_faults = 0;
  std::uint64_t major_faults = 0;
  std::uint64_t read_bytes = 0;
  std::uint64_t write_bytes = 0;
};

/// process-exporter's states; all letters of the kernel but the first four are the last.
inline constexpr std::array<std::string_view, 5> kProcessStates = {"Running", "Sleeping", "Waiting",
                                                                   "Zombie", "Other"};

struct ProcessGroup {
  /// Of the members of the last walk; the optional ones are sums of those that could be read.
  struct Members {
    std::uint64_t processes = 0;
    std::uint64_t threads = 0;
    std::uint64_t resident_bytes = 0;
    std::uint64_t virtual_bytes = 0;
    std::uint64_t swapped_bytes = 0;
    std::optional<std::uint64_t> open_files;
    std::optional<std::uint64_t> oldest_start_ticks;
    std::array<std::uint64_t, kProcessStates.size()> in_state{};
  };

  Members members;
  ProcessCounters totals;              ///< Of all processes that ever were in it; never go back.
  bool has_io = false;                 ///< The io of at least one of them could be read.
  Clock::time_point last_occupied_at;  ///< The last walk with a member.
};

/// The ledger of all processes: pure logic, fed with walks.
///
/// A process is its pid and start time. At first sight its group gets all that it used so far,
/// later what it used since it was last seen; so no use is counted twice, in two groups or, while
/// the process can be seen, not at all. When its name changes (exec, prctl) it moves, and takes
/// along nothing that was counted before.
///
/// There are at most `max_groups` groups and kOtherGroup, which holds what found no place: at the
/// first walk the names with most CPU time get the places, later whoever comes while one is free.
/// A group that has had no member for longer than `keep_empty` is dropped and frees its place,
/// kOtherGroup never is. A process keeps its group until it ends or changes its name.
class ProcessGroups {
 public:
  static constexpr std::string_view kOtherGroup = "other";

  ProcessGroups(std::size_t max_groups, Clock::duration keep_empty)
      : max_groups_(max_groups), keep_empty_(keep_empty) {}

  void update(const procfs::ProcessWalk& walk, Clock::time_point now);

  /// By name, repaired as a page shows it: two names that look the same there are one group.
  using ByName = std::map<std::string, ProcessGroup, std::less<>>;
  [[nodiscard]] const ByName& by_name() const { return groups_; }

 private:
  struct Known {
    std::uint64_t start_time_ticks;
    std::string comm;  // as read: repaired only when it is new
    ProcessGroup* group;
    ProcessCounters counted;
    std::uint64_t walk;  // the last one that listed it
  };

  void give_places_to_busiest(std::span<const procfs::Process> processes);
  ProcessGroup& group_for(std::string_view comm);
  Known& recognise(const procfs::ProcessStat& stat);
  void account(const procfs::Process& process, Clock::time_point now);
  void keep(std::int32_t pid, Clock::time_point now);

  std::size_t max_groups_;
  Clock::duration keep_empty_;
  std::uint64_t walks_ = 0;
  ByName groups_;                                      // stable addresses, see Known::group
  std::unordered_map<std::int32_t, Known> processes_;  // by pid
};

}  // namespace collectors
