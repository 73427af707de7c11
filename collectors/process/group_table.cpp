#include "collectors/process/group_table.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace collectors {
namespace {

std::size_t state_index(char letter) {
  constexpr std::string_view kLetters = "RSDZ";
  return std::min(kLetters.find(letter), kLetters.size());
}

}  // namespace

void GroupMembers::add(const ProcessSample& sample) {
  ++processes;
  ++in_state[state_index(sample.state)];
  threads += sample.threads;
  if (sample.memory) {
    resident_bytes += sample.memory->resident_bytes;
    virtual_bytes += sample.memory->virtual_bytes;
    swapped_bytes += sample.memory->swapped_bytes;
  }
  if (sample.open_files) open_files = open_files.value_or(0) + *sample.open_files;
  if (sample.open_files && sample.open_files_limit.value_or(0) > 0) {
    const auto ratio =
        static_cast<double>(*sample.open_files) / static_cast<double>(*sample.open_files_limit);
    worst_open_files_ratio = std::max(worst_open_files_ratio.value_or(0), ratio);
  }
  if (sample.proportional) {
    auto& sum = proportional ? *proportional : proportional.emplace();
    sum.resident_bytes += sample.proportional->resident_bytes;
    sum.swapped_bytes += sample.proportional->swapped_bytes;
  }
  const auto start = sample.basics.identity.start_ticks;
  oldest_start_ticks = std::min(oldest_start_ticks.value_or(start), start);
}

ProcessGroup::ProcessGroup(std::chrono::nanoseconds peak_window)
    : cpu_cores(kCpuCoresEdges),
      cpu_cores_peak(metrics::SlidingExtreme::Which::largest, peak_window),
      memory_peak_bytes(metrics::SlidingExtreme::Which::largest, peak_window) {}

GroupTable::GroupTable(Limits limits)
    : limits_(limits), other_{std::string(kOtherGroup), std::vector<std::string>(limits.labels)} {}

GroupTable::Place GroupTable::at(const GroupKey& key, std::optional<std::uint32_t> user_id,
                                 Clock::time_point now) {
  if (const auto found = groups_.find(key); found != groups_.end()) return {found->second};
  if (key == other_) return {other(now)};
  if (!has_place_for(user_id)) return {other(now), true};
  auto& group = made(key, now);
  group.owner = user_id;
  return {group};
}

ProcessGroup& GroupTable::other(Clock::time_point now) { return made(other_, now); }

ProcessGroup& GroupTable::made(const GroupKey& key, Clock::time_point now) {
  const auto [entry, is_new] = groups_.try_emplace(key, limits_.keep_empty);
  if (is_new) entry->second.last_occupied_at = now;
  return entry->second;
}

bool GroupTable::has_place_for(std::optional<std::uint32_t> user_id) const {
  if (groups_.size() - groups_.count(other_) >= limits_.max_groups) return false;
  if (user_id.value_or(0) == 0) return true;
  const auto is_theirs = [&](const auto& entry) { return entry.second.owner == user_id; };
  const auto taken = static_cast<std::size_t>(std::ranges::count_if(groups_, is_theirs));
  return taken < limits_.max_groups - limits_.max_groups / 4;
}

std::size_t GroupTable::drop_empty(Clock::time_point now) {
  return std::erase_if(groups_, [&](const auto& entry) {
    return entry.first.name != kOtherGroup &&
           now - entry.second.last_occupied_at > limits_.keep_empty;
  });
}

}  // namespace collectors
