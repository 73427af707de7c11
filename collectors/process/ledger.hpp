// The ledger: every process that ever ran is counted in its group, exactly once.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "collectors/process/departed.hpp"
#include "collectors/process/exit_sums.hpp"
#include "collectors/process/group_table.hpp"
#include "collectors/process/observation.hpp"
#include "collectors/process/top.hpp"
#include "procfs/snapshot.hpp"

namespace collectors {

/// Tells the group of a process.
class GroupResolver {
 public:
  enum class Answer : std::uint8_t {
    named,
    none,   ///< It belongs to no group.
    later,  ///< Not known yet: ask again. Never of a process that has ended.
  };
  GroupResolver() = default;
  GroupResolver(const GroupResolver&) = delete;
  GroupResolver& operator=(const GroupResolver&) = delete;
  GroupResolver(GroupResolver&&) = delete;
  GroupResolver& operator=(GroupResolver&&) = delete;
  virtual ~GroupResolver() = default;

  /// Asked at first sight, after each change of name or exec, and again after `later`. Of a process
  /// that has ended `none` means that it stays where it was.
  virtual Answer resolve(const ProcessBasics& process, bool has_ended, GroupKey& key) = 0;
  /// The process is gone, and will not be asked for again.
  virtual void forget(const ProcessIdentity& /*identity*/) {}
};

/// What a walk is for.
enum class WalkFor : std::uint8_t {
  sample,  ///< A tick: counters and peaks.
  page,    ///< A scrape: what the groups hold now, too.
};

/// Pure logic, fed with walks and exits. At first sight a process' group gets all that it used so
/// far, later what it used since it was last seen, and at its exit the rest; so no use is counted
/// twice or in two groups. A process that is gone from the walk is waited for: its exit may be told
/// later. After an exec or under another name it moves, and takes along nothing that was counted.
/// What a process used before the first walk is in its group's counters, but in no sample, peak or
/// top list, however late it gets its group.
/// Not thread-safe.
class ProcessLedger {
 public:
  /// A process' exit that has not been told so long after it was seen last is in a sum, or lost:
  /// longer than any source may take to tell of it alone.
  static constexpr auto kPatience = std::chrono::seconds(15);
  /// So long one that seems lost is remembered: should its exit be told after all, or should it be
  /// walked again, only what it used since is new.
  static constexpr auto kMemory = std::chrono::minutes(5);

  struct Options {
    GroupTable::Limits groups;
    std::chrono::nanoseconds window{};  ///< Of the top lists.
    bool has_exits = false;             ///< The source tells exits: wait for them.
  };
  /// `resolver` must outlive it.
  ProcessLedger(GroupResolver& resolver, Options options);

  /// One walk, and the exits told before it began: of the same `now`.
  void take(const ProcessExits& exits, const ProcessWalkResult& walk, WalkFor purpose,
            Clock::time_point now);
  /// The resolver has other rules: it is asked anew for all that live, from the next walk on. What
  /// was counted stays where it is; a process is shown in its old group until the new one is known.
  void rematch();
  /// A tick has passed, `length` long: samples of what the groups used in it.
  void end_tick(Clock::time_point now, std::chrono::nanoseconds length);

  /// Each process of `walk`, which was the last that was taken, that is in a group.
  using VisitMember = std::function<void(const ProcessSample& sample, ProcessGroup& group)>;
  void for_each_member(const ProcessWalkResult& walk, const VisitMember& visit);

  [[nodiscard]] GroupTable& groups() { return groups_; }
  [[nodiscard]] const GroupTable& groups() const { return groups_; }
  [[nodiscard]] TopProcessLists top(std::size_t count) const;

  /// CPU time of all groups together.
  [[nodiscard]] std::uint64_t attributed_cpu_ns() const { return attributed_cpu_ns_; }
  /// Processes that vanished and whose exit nobody told: what they used last is not counted. Known
  /// after kMemory.
  [[nodiscard]] std::uint64_t untold_exits() const { return departed_.forgotten(); }

 private:
  // By then command lines have been read, but for those that hang.
  static constexpr int kRankingWalks = 5;

  struct Known {
    // First what each walk looks at, so that it is not far apart.
    ProcessBasics basics;
    std::uint64_t walk = 0;  // the last one that listed it
    ProcessGroup* group = nullptr;
    std::uint64_t resident_bytes = 0;
    std::uint64_t peak_bytes = 0;  // the kernel's mark, as last seen
    std::uint64_t cpu_ns_in_slot = 0;
    std::uint64_t peak_bytes_in_slot = 0;
    std::uint64_t cpu_ns_before = 0;  // of before our time, and not counted yet
    bool is_unnamed = true;           // its group is to be asked for
    bool is_started = false;          // it counts as started once it has a group
    bool has_ended = false;           // its exit was told; a zombie is seen for longer
    bool is_of_before = false;        // it ran when we began, and its use was not read yet
    bool is_crowded_out = false;      // it is in `other` for want of a place
    ProcessUse counted;
  };
  struct Waiting {
    Known known;
    Clock::time_point since;
  };
  struct HashIdentity {
    std::size_t operator()(const ProcessIdentity& identity) const noexcept;
  };
  template <class T>
  using ByIdentity = std::unordered_map<ProcessIdentity, T, HashIdentity>;

  void settle_waiting(Clock::time_point now);
  /// False when some are in no group yet.
  bool give_places_to_busiest(const ProcessWalkResult& walk, Clock::time_point now);
  void give_free_places(Clock::time_point now);
  void join(const ProcessWalkResult& walk, Clock::time_point now);
  Known* find(const ProcessIdentity& identity, std::size_t& at);
  void forget_order();
  [[nodiscard]] static Known newcomer(const ProcessBasics& basics, bool is_of_before,
                                      std::optional<std::uint64_t> mark_bytes);
  std::optional<Known> recall(const ProcessIdentity& identity);
  void meet(const ProcessSample& sample, Clock::time_point now);
  void see(Known& known, const ProcessSample& sample, Clock::time_point now);
  void settle_vanished(std::span<const std::int32_t> unread, Clock::time_point now);
  void take_unseen_exits(Clock::time_point now);
  void take_unseen_exit(const ProcessExit& exit, Clock::time_point now);
  void take_sums(Clock::time_point now);
  GroupTable::Place place_of(const ExitSum& sum, Clock::time_point now);
  void name(Known& known, Clock::time_point now);
  void account(Known& known, const ProcessUse& use, std::uint32_t walks = 1);
  void credit(ProcessGroup& group, const ProcessUse& more);
  void see_peak(Known& known, std::uint64_t mark_bytes, std::uint64_t resident_bytes);
  void record_peaks(Clock::time_point now);
  void finish(Known& known, const ProcessExit& exit, Clock::time_point now);
  void give_up(Known& known, Clock::time_point now);
  void count_members(const ProcessWalkResult& walk);
  void keep_occupied_groups(Clock::time_point now);
  [[nodiscard]] static TopProcess top_of(const Known& known);
  [[nodiscard]] TopSlot live_slot() const;
  void close_slot(Clock::time_point now);

  GroupResolver& resolver_;
  Options options_;
  GroupTable groups_;
  TopProcesses top_;
  ExitSums sums_;
  std::uint64_t walks_ = 0;
  std::uint64_t newest_start_ticks_ = 0;  // of all that were ever walked
  std::uint64_t first_start_ticks_ = 0;   // the same, of the first walk
  std::uint64_t attributed_cpu_ns_ = 0;
  int ranking_walks_ = kRankingWalks;     // so many more rank who gets a place
  std::vector<Known> known_;              // in the order of the walks, the newest last
  ByIdentity<std::size_t> index_;         // of known_; made when a walk is in another order
  std::size_t stray_ = 0;                 // so many were found without it
  ByIdentity<Waiting> waiting_;           // gone, and their exits not told yet
  Departed<Known> departed_;              // gone for longer, as far as in no sum
  ByIdentity<const ProcessExit*> exits_;  // of this take(), as far as not matched yet
};

}  // namespace collectors
