#include "collectors/process/groups.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "metrics/escape.hpp"

namespace collectors {
namespace {

constexpr std::array kCounters = {&ProcessCounters::user_ticks,   &ProcessCounters::system_ticks,
                                  &ProcessCounters::minor_faults, &ProcessCounters::major_faults,
                                  &ProcessCounters::read_bytes,   &ProcessCounters::write_bytes};

ProcessCounters counters_of(const procfs::Process& process) {
  const auto io = process.io.value_or(procfs::ProcessIo{});
  return {process.stat.user_ticks,
          process.stat.system_ticks,
          process.stat.minor_faults,
          process.stat.major_faults,
          io.read_bytes,
          io.write_bytes};
}

std::size_t state_index(char letter) {
  constexpr std::string_view kLetters = "RSDZ";
  return std::min(kLetters.find(letter), kLetters.size());
}

void add_member(const procfs::Process& process, ProcessGroup::Members& members) {
  const auto& stat = process.stat;
  ++members.processes;
  ++members.in_state[state_index(stat.state)];
  members.threads += stat.threads;
  members.virtual_bytes += stat.virtual_bytes;
  members.resident_bytes += process.status.resident_bytes;
  members.swapped_bytes += process.status.swapped_bytes;
  if (process.open_files) {
    members.open_files = members.open_files.value_or(0) + *process.open_files;
  }
  members.oldest_start_ticks =
      std::min(members.oldest_start_ticks.value_or(stat.start_time_ticks), stat.start_time_ticks);
}

}  // namespace

void ProcessGroups::update(const procfs::ProcessWalk& walk, Clock::time_point now) {
  if (++walks_ == 1) give_places_to_busiest(walk.processes);
  for (auto& [name, group] : groups_) group.members = {};
  for (const auto& process : walk.processes) account(process, now);
  for (const auto pid : walk.unread) keep(pid, now);
  std::erase_if(processes_, [this](const auto& entry) { return entry.second.walk != walks_; });
  std::erase_if(groups_, [&](const auto& entry) {
    return entry.first != kOtherGroup && now - entry.second.last_occupied_at > keep_empty_;
  });
}

void ProcessGroups::give_places_to_busiest(std::span<const procfs::Process> processes) {
  std::map<std::string, std::uint64_t> ticks_by_name;
  for (const auto& process : processes) {
    ticks_by_name[metrics::repaired(process.stat.comm)] +=
        process.stat.user_ticks + process.stat.system_ticks;
  }
  std::vector<std::pair<std::string, std::uint64_t>> ranking(ticks_by_name.begin(),
                                                             ticks_by_name.end());
  std::stable_sort(ranking.begin(), ranking.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [name, ticks] : ranking) group_for(name);
}

ProcessGroup& ProcessGroups::group_for(std::string_view comm) {
  auto name = metrics::repaired(comm);
  if (const auto found = groups_.find(name); found != groups_.end()) return found->second;
  const auto taken = groups_.size() - groups_.count(kOtherGroup);
  if (taken >= max_groups_) name = kOtherGroup;
  return groups_[std::move(name)];
}

ProcessGroups::Known& ProcessGroups::recognise(const procfs::ProcessStat& stat) {
  const auto found = processes_.find(stat.pid);
  if (found == processes_.end() || found->second.start_time_ticks != stat.start_time_ticks) {
    Known known{stat.start_time_ticks, stat.comm, &group_for(stat.comm), {}, walks_};
    return processes_.insert_or_assign(stat.pid, std::move(known)).first->second;
  }
  auto& known = found->second;
  known.walk = walks_;
  if (known.comm != stat.comm) {
    known.group = &group_for(stat.comm);
    known.comm = stat.comm;
  }
  return known;
}

void ProcessGroups::account(const procfs::Process& process, Clock::time_point now) {
  auto& known = recognise(process.stat);
  auto& group = *known.group;
  const auto counters = counters_of(process);
  for (const auto counter : kCounters) {
    // The larger is kept, as a value that steps back and recovers must not count twice; neither
    // must io that could not be read meanwhile.
    const auto counted = std::max(known.counted.*counter, counters.*counter);
    group.totals.*counter += counted - known.counted.*counter;
    known.counted.*counter = counted;
  }
  group.has_io = group.has_io || process.io.has_value();
  add_member(process, group.members);
  group.last_occupied_at = now;
}

/// Listed but not read: perhaps it lives on, and forgotten it would be counted anew.
void ProcessGroups::keep(std::int32_t pid, Clock::time_point now) {
  const auto found = processes_.find(pid);
  if (found == processes_.end()) return;
  found->second.walk = walks_;
  found->second.group->last_occupied_at = now;
}

}  // namespace collectors
