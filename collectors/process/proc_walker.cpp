#include "collectors/process/proc_walker.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

namespace collectors {

using metrics::Errc;
using metrics::Error;
using metrics::Result;

double thread_cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) +
         static_cast<double>(used.tv_nsec) / kNanosecondsPerSecond;
}

ProcWalker::ProcWalker(const Host& host, Children children)
    : reader_(host.proc), units_(host.system), has_children_(children == Children::of_parents) {}

Result<void> ProcWalker::walk(WalkFor purpose, std::size_t max_readings) {
  ++walk_;
  counts_ = {};
  unread_.clear();
  trouble_.reset();
  if (auto listed = list(); !listed) return listed;
  choose(purpose, max_readings);
  const auto before = thread_cpu_seconds();
  for (auto& tracked : tracked_) {
    if (!tracked.is_chosen) continue;
    ++counts_.readings;
    if (const auto done = read(tracked, purpose); !done) note(tracked, done.error());
  }
  counts_.reading_seconds = thread_cpu_seconds() - before;
  counts_.left_out = tracked_.size() - counts_.readings;
  if (has_children_) find_children();
  std::erase_if(tracked_, [](const Tracked& tracked) {
    return tracked.has_ended || (tracked.is_new && tracked.is_unread);
  });
  count_due();
  const bool is_any =
      std::ranges::any_of(tracked_, [](const Tracked& tracked) { return !tracked.is_unread; });
  if (is_any) return {};
  return trouble_.value_or(Error{Errc::unsupported, "no process in the proc mount"});
}

void ProcWalker::hand_on(ProcessWalkResult& result) const {
  result.processes.clear();
  result.unread = unread_;
  for (const auto& tracked : tracked_) {
    if (tracked.is_unread) continue;
    auto& sample = result.processes.emplace_back(tracked.sample);
    if (has_children_) {
      add_children(sample, children_.of(sample.basics.identity.pid), units_);
    }
  }
}

/// Who was there before and is still keeps what is known of it.
Result<void> ProcWalker::list() {
  if (auto listed = reader_.list(listed_); !listed) return listed;
  pids_.clear();
  for (const auto& entry : listed_) pids_.push_back(entry.number);
  if (has_children_) children_.keep(pids_);
  const auto kept = std::min(listed_.size(), procfs::ProcessReader::kMaxProcesses);
  counts_.failed += listed_.size() - kept;
  unread_.assign(pids_.begin() + static_cast<std::ptrdiff_t>(kept), pids_.end());
  std::swap(before_, tracked_);
  tracked_.clear();
  auto known = before_.begin();
  for (std::size_t i = 0; i < kept; ++i) {
    const auto& entry = listed_[i];
    const auto pid_of = [](const Tracked& tracked) { return tracked.sample.basics.identity.pid; };
    while (known != before_.end() && pid_of(*known) < entry.number) ++known;
    const bool is_known =
        known != before_.end() && pid_of(*known) == entry.number && known->inode == entry.inode;
    auto& tracked = is_known ? tracked_.emplace_back(*known) : tracked_.emplace_back();
    tracked.inode = entry.inode;
    tracked.sample.basics.identity.pid = entry.number;
    tracked.is_chosen = false;
  }
  return {};
}

/// All for a page. For a sample the new ones, those that tell what their children used, and of the
/// others that are due as many as may be, in turn.
void ProcWalker::choose(WalkFor purpose, std::size_t max_readings) {
  choice_.clear();
  for (std::size_t i = 0; i < tracked_.size(); ++i) {
    auto& tracked = tracked_[i];
    const auto pid = tracked.sample.basics.identity.pid;
    tracked.is_chosen = purpose == WalkFor::page || tracked.is_new ||
                        std::ranges::binary_search(children_.wanted(), pid);
    const bool is_due = tracked.is_unread || tracked.period.is_due(walk_);
    if (!tracked.is_chosen && is_due) choice_.push_back(i);
  }
  const auto pid_of = [this](std::size_t i) { return tracked_[i].sample.basics.identity.pid; };
  if (choice_.size() > max_readings) {
    const auto next = std::ranges::upper_bound(choice_, chosen_last_, {}, pid_of);
    std::rotate(choice_.begin(), next, choice_.end());
    choice_.resize(max_readings);
    if (!choice_.empty()) chosen_last_ = pid_of(choice_.back());
  }
  for (const auto i : choice_) tracked_[i].is_chosen = true;
}

Result<void> ProcWalker::read(Tracked& tracked, WalkFor purpose) {
  if (purpose == WalkFor::page || tracked.is_new || tracked.is_unread) return read_all(tracked);
  const auto pid = tracked.sample.basics.identity.pid;
  const auto stat = reader_.read_stat(pid);
  if (!stat) return stat.error();
  // While its parent reaps it, a process reads as zeros.
  if (stat->state == 'X') return Error{Errc::gone, "being reaped"};
  if (!is_of(tracked.sample, *stat)) return read_all(tracked);
  std::optional<procfs::ProcessStatm> statm;
  if (stat->virtual_bytes > 0) {
    const auto read = reader_.read_statm(pid);
    if (read) statm = *read;
  }
  update_sample(tracked.sample, *stat, statm, units_);
  take(tracked, *stat, std::nullopt);
  return {};
}

Result<void> ProcWalker::read_all(Tracked& tracked) {
  const auto process = reader_.read(tracked.sample.basics.identity.pid);
  if (!process) return process.error();
  tracked.sample = proc_sample(*process, units_);
  take(tracked, process->stat, process->io);
  return {};
}

void ProcWalker::take(Tracked& tracked, const procfs::ProcessStat& stat,
                      const std::optional<procfs::ProcessIo>& io) {
  const std::array cpu_ticks = {stat.user_ticks, stat.system_ticks, stat.children_user_ticks,
                                stat.children_system_ticks};
  const bool is_idle = !tracked.is_new && cpu_ticks == tracked.cpu_ticks;
  tracked.cpu_ticks = cpu_ticks;
  tracked.sample.walks = tracked.is_new ? 1 : static_cast<std::uint32_t>(walk_ - tracked.read_at);
  tracked.read_at = walk_;
  tracked.period.was_read(walk_, is_idle);
  tracked.is_new = tracked.is_unread = false;
  if (!has_children_) return;
  auto reading = family_reading(stat);
  if (io) reading.storage = {io->read_bytes, io->write_bytes};
  children_.see(reading);
}

void ProcWalker::note(Tracked& tracked, const Error& error) {
  unread_.push_back(tracked.sample.basics.identity.pid);
  tracked.is_unread = true;
  switch (error.code) {
    case Errc::gone:
      tracked.has_ended = true;
      return;
    case Errc::denied:
      ++counts_.denied;
      break;
    case Errc::malformed:
      ++counts_.malformed;
      break;
    case Errc::unsupported:
    case Errc::io:
      ++counts_.failed;
      break;
  }
  if (!trouble_) trouble_ = error;
}

void ProcWalker::find_children() {
  if (children_.must_list_again() && reader_.list(listed_)) {
    pids_.clear();
    for (const auto& entry : listed_) pids_.push_back(entry.number);
    children_.keep(pids_);
  }
  children_.settle();
}

void ProcWalker::count_due() {
  due_ = children_.wanted().size();
  for (const auto& tracked : tracked_) {
    if (tracked.is_unread || tracked.period.is_due(walk_ + 1)) ++due_;
  }
}

}  // namespace collectors
