#include "collectors/process/group_table.hpp"

#include <algorithm>
#include <string>
#include <utility>

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
  const auto start = sample.basics.identity.start_ticks;
  oldest_start_ticks = std::min(oldest_start_ticks.value_or(start), start);
}

ProcessGroup::ProcessGroup(std::chrono::nanoseconds peak_window)
    : cpu_cores(kCpuCoresEdges),
      cpu_cores_peak(metrics::SlidingExtreme::Which::largest, peak_window),
      memory_peak_bytes(metrics::SlidingExtreme::Which::largest, peak_window) {}

ProcessGroup& GroupTable::at(const GroupKey& key, Clock::time_point now) {
  if (const auto found = groups_.find(key); found != groups_.end()) return found->second;
  GroupKey other{std::string(kOtherGroup), std::vector<std::string>(key.label_values.size())};
  const auto taken = groups_.size() - groups_.count(other);
  const bool has_place = taken < limits_.max_groups || key == other;
  if (!has_place) ++crowded_out_;
  const auto [made, is_new] = groups_.try_emplace(has_place ? key : other, limits_.keep_empty);
  if (is_new) made->second.last_occupied_at = now;
  return made->second;
}

void GroupTable::drop_empty(Clock::time_point now) {
  std::erase_if(groups_, [&](const auto& entry) {
    return entry.first.name != kOtherGroup &&
           now - entry.second.last_occupied_at > limits_.keep_empty;
  });
}

}  // namespace collectors
