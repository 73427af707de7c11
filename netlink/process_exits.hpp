#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "netlink/taskstats.hpp"

namespace netlink {

/// A process that ended: the records of all its threads in one.
struct ProcessExit {
  /// False for what was handed on before, at the end of the process: then the sums below are those
  /// of one more thread, whose record came late, and to be added; `comm` is what was handed on
  /// then. Threads that are killed together overtake each other.
  bool is_end = true;
  std::int32_t pid = 0;
  std::int32_t parent_pid = 0;
  std::uint32_t uid = 0;
  /// Of the thread that began the process, or of the last one where that was not heard.
  std::string comm;
  /// As of wait(2), but for a process whose first thread ended before the others and with another
  /// status than theirs: then that of the last thread, or of the first where the last's is 0.
  std::uint32_t wait_status = 0;
  StartTime start;  ///< To join it with /proc; see process_start().
  std::uint64_t lived_microseconds = 0;
  std::uint64_t thread_records = 0;  ///< Its threads that were heard, the last one included.

  /// Of all its threads, also those that ended before we listened. What the three mean, and how
  /// exact they are, is said at TaskExit.
  std::uint64_t cpu_nanoseconds = 0;
  std::uint64_t run_nanoseconds = 0;
  std::uint64_t cpu_delay_nanoseconds = 0;

  /// Of the threads that were heard.
  std::uint64_t user_microseconds = 0;
  std::uint64_t system_microseconds = 0;
  std::uint64_t minor_faults = 0;
  std::uint64_t major_faults = 0;
  std::uint64_t read_bytes = 0;
  std::uint64_t write_bytes = 0;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t nonvoluntary_switches = 0;
  /// The most that the process had resident, of its programs before an exec the most that was
  /// heard. Absent for kernel threads.
  std::optional<std::uint64_t> peak_resident_bytes;
};

/// Folds threads into processes. Of a process that lives on, it keeps the sum of the threads that
/// ended: of at most so many processes, and those whose last thread ended longest ago go first. No
/// system calls. Not thread-safe.
class ProcessExits {
 public:
  static constexpr std::size_t kMaxPending = 16'384;  // about 4 MB

  explicit ProcessExits(std::size_t max_pending = kMaxPending) : max_pending_(max_pending) {}

  /// Gives the process when `exit` is its last thread, and once more for each that comes late.
  std::optional<ProcessExit> add(const TaskExit& exit);

  /// Processes that live on with threads that ended.
  [[nodiscard]] std::size_t pending() const { return pending_.size(); }
  /// Processes whose ended threads were forgotten: for want of room, or because their pid came
  /// back, so that the record of their end was lost. What those threads did is in no ProcessExit,
  /// but for the three times that the kernel itself adds up.
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }
  /// Records that do not say what process they belong to; Linux before 5.19.
  [[nodiscard]] std::uint64_t unplaced() const { return unplaced_; }

 private:
  /// How many processes of several threads it remembers after their end. Late records come within
  /// a time slice or two.
  static constexpr std::size_t kMaxEnded = 4096;

  struct Pending {
    ProcessExit sum;
    bool has_first_thread = false;
  };
  using Queue = std::list<Pending>;  // the one that changed last comes first

  struct Ended {
    StartTime start;
    std::string comm;
  };
  [[nodiscard]] const Ended* find_ended(std::int32_t pid, const StartTime& start) const;
  void remember_end(const ProcessExit& process);
  Pending take(std::int32_t pid, const StartTime& start);
  void keep(Pending pending);

  std::size_t max_pending_;
  Queue pending_;
  std::unordered_map<std::int32_t, Queue::iterator> by_pid_;
  std::unordered_map<std::int32_t, Ended> ended_;
  std::deque<std::int32_t> ended_pids_;  // in the order of their end
  std::uint64_t forgotten_ = 0;
  std::uint64_t unplaced_ = 0;
};

}  // namespace netlink
