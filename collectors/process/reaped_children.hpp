// What parents tell of children that ended, where nobody else does.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "collectors/process/observation.hpp"

namespace collectors {

/// Of a process, or of the children that it waited for: user and system ticks, minor and major
/// faults, as in /proc/PID/stat.
using StatCounts = std::array<std::uint64_t, 4>;
/// Bytes read and written, as in /proc/PID/io. What it has of a process includes the children that
/// the process waited for.
using StorageBytes = std::array<std::uint64_t, 2>;

/// A process as it was read.
struct FamilyReading {
  ProcessIdentity identity;
  std::int32_t parent_pid = 0;
  StatCounts own{};
  StatCounts children{};
  /// Absent: not read this time, or it may not be.
  std::optional<StorageBytes> storage = std::nullopt;
};

/// Finds the use of children that nobody saw, by what the counters of their parents grow. When a
/// process is waited for, the kernel adds to its parent all that it used and all that the parent
/// had been added for its own children. Of that, what was seen while it lived is known, and comes
/// off, once; the rest is the parent's to show.
///
/// A child may be added nowhere (its parent ignores SIGCHLD, or is hidden from us), and one whose
/// parent died before it is added to whichever ancestor adopted it. What cannot be told apart is
/// taken off: so nothing is counted twice, but some of what was never seen may be missing.
///
/// A walk is: keep(), see() of whom was read, in that order; where must_list_again(), a new list
/// and keep() again; settle(). Pure; not thread-safe.
class ReapedChildren {
 public:
  /// All pids that are there, ascending. The others have ended.
  void keep(std::span<const std::int32_t> listed);
  /// At most once in a walk, for a listed process.
  void see(const FamilyReading& reading);
  /// Whether one of whom was seen may have been added a child that was listed before it ended.
  [[nodiscard]] bool must_list_again() const;
  void settle();

  /// Ascending: to be seen in the next walk, so that what they were added is told apart.
  [[nodiscard]] const std::vector<std::int32_t>& wanted() const { return wanted_; }

  /// Of a process, since it was seen first: grows only.
  struct Found {
    StatCounts unseen{};  ///< Of children, as far as nobody saw it.
    StorageBytes
        children{};  ///< In the storage bytes of the process, but children's who were seen.
  };
  /// Of one that was there in the last walk; nothing of others.
  [[nodiscard]] Found of(std::int32_t pid) const;

 private:
  struct Kin {
    ProcessIdentity identity;
    std::int32_t parent_pid = 0;
    StatCounts own{};
    StatCounts children{};
    StorageBytes storage{};
    StatCounts growth{};  // of children, in this walk, as far as it is not explained yet
    Found found;
    std::uint64_t walk = 0;   // that saw it last
    std::uint64_t order = 0;  // in that walk
    bool is_orphan = false;   // since it was seen: parent_pid is a guess
  };
  /// What was seen of a process that ended, and is to come off.
  struct Debt {
    StatCounts counts{};
    StorageBytes storage{};
    std::int32_t heir_pid = 0;
    std::uint64_t start_ticks = 0;
    bool is_direct = true;  // its parent lives: no other has been added it
    bool is_late = false;   // no counter that was read before its end is left
  };
  using ByPid = std::unordered_map<std::int32_t, Kin>;

  [[nodiscard]] bool may_be_part_of_growth(const Kin& kin) const;
  void end(ByPid::iterator kin);
  Kin* heir_of(std::int32_t pid, std::uint64_t start_ticks, bool& is_direct);
  void add_debts();
  void move_debts();
  static bool pay_from(Kin& heir, Debt& debt);
  bool pay(Debt& debt);
  void pay_debts();
  void adopt_orphans();
  void want_ancestors(std::int32_t pid);

  ByPid kin_;
  // A pid may have come again, and ended again.
  std::unordered_multimap<std::int32_t, Kin>
      ended_;  // in this walk, or the one that was settled last
  bool is_settled_ = false;
  std::vector<Debt> debts_;
  std::vector<std::int32_t> seen_;  // in this walk
  std::vector<std::int32_t> wanted_;
  std::uint64_t walk_ = 1;
  std::uint64_t newest_start_ticks_ = 0;  // of the first walk: what came before is not ours
};

}  // namespace collectors
