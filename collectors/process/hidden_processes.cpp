#include "collectors/process/hidden_processes.hpp"

#include <algorithm>
#include <iterator>

namespace collectors {
namespace {

/// Reading one costs as much as a hundred in the kernel.
constexpr std::size_t kReadAlways = 4;

void remove_seen(std::vector<std::int32_t>& pids, std::vector<std::int32_t>& seen) {
  std::ranges::sort(seen);
  std::erase_if(pids, [&](std::int32_t pid) { return std::ranges::binary_search(seen, pid); });
}

}  // namespace

HiddenProcesses::HiddenProcesses(procfs::FileReader& proc, const ProcUnits& units)
    : reader_(proc), units_(units) {}

void HiddenProcesses::find(std::vector<std::int32_t> seen,
                           const std::function<void(std::vector<std::int32_t>&)>& walk_again) {
  hidden_.clear();
  std::vector<std::int32_t> listed;
  if (!reader_.list(listed)) return;
  remove_seen(listed, seen);
  if (listed.empty()) return;
  seen.clear();
  walk_again(seen);
  remove_seen(listed, seen);
  for (const auto pid : listed) hidden_.push_back({.pid = pid});
}

void HiddenProcesses::add_to(ProcessWalkResult& walk, bool is_page) {
  const bool are_read = is_page || hidden_.size() <= kReadAlways;
  std::erase_if(hidden_, [&](ProcessIdentity& hidden) {
    if (!are_read) {
      walk.unread.push_back(hidden.pid);
      return false;
    }
    const auto process = reader_.read(hidden.pid);
    if (!process) {
      const bool is_gone = process.error().code == metrics::Errc::gone;
      if (!is_gone) walk.unread.push_back(hidden.pid);
      return is_gone;
    }
    const auto sample = proc_sample(*process, units_);
    const auto start_ticks = sample.basics.identity.start_ticks;
    // Another one with its pid may well be in the walk.
    if (hidden.start_ticks != 0 && hidden.start_ticks != start_ticks) return true;
    hidden.start_ticks = start_ticks;
    walk.processes.push_back(sample);
    return false;
  });
}

}  // namespace collectors
