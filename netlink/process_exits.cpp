#include "netlink/process_exits.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace netlink {
namespace {

struct Sum {
  std::uint64_t ProcessExit::*of_process;
  std::uint64_t TaskExit::*of_thread;
};
constexpr std::array kSums = {
    Sum{&ProcessExit::cpu_nanoseconds, &TaskExit::cpu_nanoseconds},
    Sum{&ProcessExit::run_nanoseconds, &TaskExit::run_nanoseconds},
    Sum{&ProcessExit::cpu_delay_nanoseconds, &TaskExit::cpu_delay_nanoseconds},
    Sum{&ProcessExit::user_microseconds, &TaskExit::user_microseconds},
    Sum{&ProcessExit::system_microseconds, &TaskExit::system_microseconds},
    Sum{&ProcessExit::minor_faults, &TaskExit::minor_faults},
    Sum{&ProcessExit::major_faults, &TaskExit::major_faults},
    Sum{&ProcessExit::read_bytes, &TaskExit::read_bytes},
    Sum{&ProcessExit::write_bytes, &TaskExit::write_bytes},
    Sum{&ProcessExit::voluntary_switches, &TaskExit::voluntary_switches},
    Sum{&ProcessExit::nonvoluntary_switches, &TaskExit::nonvoluntary_switches},
};

/// Each end of a thread tells the start of its process within a span that holds the truth.
bool is_same(const StartTime& one, const StartTime& other) {
  return one.earliest_seconds <= other.latest_seconds &&
         other.earliest_seconds <= one.latest_seconds;
}

void add_usage(const TaskExit& exit, ProcessExit& process) {
  for (const auto& sum : kSums) process.*sum.of_process += exit.*sum.of_thread;
  process.peak_resident_bytes = std::max(process.peak_resident_bytes, exit.peak_resident_bytes);
  ++process.thread_records;
}

/// The kernel's own sums know of threads that we did not hear. They are never less than ours, but
/// where they overflowed, and then the kernel says 0.
void add_totals(const GroupTotals& totals, ProcessExit& process) {
  process.cpu_nanoseconds = std::max(process.cpu_nanoseconds, totals.cpu_nanoseconds);
  process.run_nanoseconds = std::max(process.run_nanoseconds, totals.run_nanoseconds);
  process.cpu_delay_nanoseconds =
      std::max(process.cpu_delay_nanoseconds, totals.cpu_delay_nanoseconds);
}

}  // namespace

std::optional<ProcessExit> ProcessExits::add(const TaskExit& exit) {
  const auto start = process_start(exit);
  if (!exit.tgid || !start) {
    ++unplaced_;
    return std::nullopt;
  }
  auto pending = take(*exit.tgid, *start);
  auto& process = pending.sum;
  add_usage(exit, process);
  process.parent_pid = exit.parent_pid;
  process.uid = exit.uid;
  process.lived_microseconds = *exit.process_elapsed_microseconds;
  const bool is_first_thread = exit.tid == *exit.tgid;
  if (is_first_thread || !pending.has_first_thread) process.comm = exit.comm;
  pending.has_first_thread = pending.has_first_thread || is_first_thread;
  // One thread's exit_group() ends all with its status; pthread_exit() has 0.
  if (is_first_thread || exit.wait_status != 0) process.wait_status = exit.wait_status;
  process.is_end = exit.is_last_of_group;
  if (!exit.is_last_of_group) {
    if (const auto* const ended = find_ended(*exit.tgid, *start)) {
      process.comm = ended->comm;
      return std::move(process);
    }
    keep(std::move(pending));
    return std::nullopt;
  }
  if (exit.group) {
    add_totals(*exit.group, process);
    remember_end(process);
  }
  return std::move(process);
}

const ProcessExits::Ended* ProcessExits::find_ended(std::int32_t pid,
                                                    const StartTime& start) const {
  const auto found = ended_.find(pid);
  return found != ended_.end() && is_same(found->second.start, start) ? &found->second : nullptr;
}

void ProcessExits::remember_end(const ProcessExit& process) {
  const bool is_new =
      ended_.insert_or_assign(process.pid, Ended{process.start, process.comm}).second;
  if (!is_new) return;  // in its old place: a pid does not come back so soon
  ended_pids_.push_back(process.pid);
  if (ended_pids_.size() <= kMaxEnded) return;
  ended_.erase(ended_pids_.front());
  ended_pids_.pop_front();
}

/// The sum so far, or a new one, taken out of the queue.
ProcessExits::Pending ProcessExits::take(std::int32_t pid, const StartTime& start) {
  Pending pending;
  if (const auto found = by_pid_.find(pid); found != by_pid_.end()) {
    const auto position = found->second;
    if (is_same(position->sum.start, start)) {
      pending = std::move(*position);
    } else {
      ++forgotten_;
    }
    pending_.erase(position);
    by_pid_.erase(found);
  }
  pending.sum.pid = pid;
  pending.sum.start = start;
  return pending;
}

void ProcessExits::keep(Pending pending) {
  const auto pid = pending.sum.pid;
  pending_.push_front(std::move(pending));
  by_pid_[pid] = pending_.begin();
  if (pending_.size() <= max_pending_) return;
  by_pid_.erase(pending_.back().sum.pid);
  pending_.pop_back();
  ++forgotten_;
}

}  // namespace netlink
