// The ledger's single entries: naming, counting and ending one process.
#include <algorithm>
#include <utility>

#include "collectors/process/ledger.hpp"

namespace collectors {

void ProcessLedger::name(Known& known, Clock::time_point now) {
  GroupKey key;
  switch (resolver_.resolve(known.basics, known.has_ended, key)) {
    case GroupResolver::Answer::later:
      known.is_unnamed = true;
      return;
    case GroupResolver::Answer::none:
      known.is_unnamed = false;
      if (!known.has_ended) known.group = nullptr;
      return;
    case GroupResolver::Answer::named:
      break;
  }
  known.is_unnamed = false;
  const auto [group, is_crowded_out] = groups_.at(key, known.basics.user_id, now);
  known.group = &group;
  const bool was_crowded_out = std::exchange(known.is_crowded_out, is_crowded_out);
  if (is_crowded_out && !was_crowded_out) groups_.count_crowded_out(1);
  if (std::exchange(known.is_started, false)) ++known.group->started;
}

void ProcessLedger::credit(ProcessGroup& group, const ProcessUse& more) {
  group.totals.add(more);
  attributed_cpu_ns_ += more.cpu_ns;
}

void ProcessLedger::account(Known& known, const ProcessUse& use, std::uint32_t walks) {
  const bool is_read = use.cpu_ns > 0 || use.readable != 0;
  if (known.is_of_before && is_read) {
    known.is_of_before = false;
    known.cpu_ns_before = use.cpu_ns;
  }
  // Without a group yet, all is left for the one to come; in none, for nobody.
  if (known.is_unnamed) return;
  const auto more = taken_growth(use, known.counted);
  const auto cpu_ns_before = std::min(more.cpu_ns, known.cpu_ns_before);
  known.cpu_ns_before -= cpu_ns_before;
  if (known.group == nullptr) return;
  const auto cpu_ns_of_now = more.cpu_ns - cpu_ns_before;
  known.cpu_ns_in_slot += cpu_ns_of_now;
  credit(*known.group, more);
  // Only a share of it is of this tick.
  known.group->cpu_ns_at_tick +=
      cpu_ns_before + cpu_ns_of_now - cpu_ns_of_now / std::max(walks, 1U);
}

/// A mark that rose since the last look is a peak of right now, however short; one that did not may
/// be of last week, and says nothing of now.
void ProcessLedger::see_peak(Known& known, std::uint64_t mark_bytes, std::uint64_t resident_bytes) {
  const bool is_old = walks_ == 1;  // it may be of before our time
  const auto peak = mark_bytes > known.peak_bytes && !is_old ? mark_bytes : resident_bytes;
  known.peak_bytes = std::max(known.peak_bytes, mark_bytes);
  if (known.group == nullptr || peak == 0) return;
  known.peak_bytes_in_slot = std::max(known.peak_bytes_in_slot, peak);
  known.group->peak_bytes_in_walk = std::max(known.group->peak_bytes_in_walk, peak);
}

void ProcessLedger::record_peaks(Clock::time_point now) {
  for (auto& [key, group] : groups_.by_key()) {
    const auto peak = std::exchange(group.peak_bytes_in_walk, 0);
    if (peak > 0) group.memory_peak_bytes.record(now, static_cast<double>(peak));
  }
}

void ProcessLedger::finish(Known& known, const ProcessExit& exit, Clock::time_point now) {
  known.has_ended = true;
  const bool is_renamed = has_changed(known.basics, exit.basics);
  known.basics.comm = exit.basics.comm;
  if (exit.basics.execs != 0) known.basics.execs = exit.basics.execs;
  if (known.is_unnamed || is_renamed) name(known, now);
  account(known, exit.use);
  if (exit.peak_resident_bytes) see_peak(known, *exit.peak_resident_bytes, 0);
  if (known.group != nullptr) {
    ++known.group->exited[static_cast<std::size_t>(exit.reason)];
    known.group->last_occupied_at = now;
  }
  top_.add_ended(top_of(known));
}

/// It is gone, and its exit was not told in time. One that is in a sum is done with: should its
/// exit be told after all, what was taken off the sum comes back with it.
void ProcessLedger::give_up(Known& known, Clock::time_point now) {
  top_.add_ended(top_of(known));
  if (!options_.has_exits || sums_.absorb(known.basics.comm, known.counted, now)) return;
  known.cpu_ns_in_slot = 0;
  known.peak_bytes_in_slot = 0;
  departed_.add(known.basics.identity, known, now);
}

void ProcessLedger::count_members(const ProcessWalkResult& walk) {
  for (auto& [key, group] : groups_.by_key()) group.members = {};
  for_each_member(
      walk, [](const ProcessSample& sample, ProcessGroup& group) { group.members.add(sample); });
}

void ProcessLedger::for_each_member(const ProcessWalkResult& walk, const VisitMember& visit) {
  forget_order();  // some have gone since it was made
  std::size_t at = 0;
  for (const auto& sample : walk.processes) {
    auto* const known = find(sample.basics.identity, at);
    if (known != nullptr && known->group != nullptr) visit(sample, *known->group);
  }
}

void ProcessLedger::keep_occupied_groups(Clock::time_point now) {
  for (const auto& known : known_) {
    if (known.group != nullptr) known.group->last_occupied_at = now;
  }
  for (const auto& [identity, waiting] : waiting_) {
    if (waiting.known.group != nullptr) waiting.known.group->last_occupied_at = now;
  }
  departed_.for_each([&](const Known& known) {
    if (known.group != nullptr) known.group->last_occupied_at = now;
  });
  if (groups_.drop_empty(now) > 0 || top_.is_due(now)) give_free_places(now);
}

TopProcess ProcessLedger::top_of(const Known& known) {
  return {known.basics.identity,  known.basics.comm,    known.basics.user_id,
          known.basics.cgroup_id, known.cpu_ns_in_slot, known.peak_bytes_in_slot};
}

TopSlot ProcessLedger::live_slot() const {
  TopSlot slot;
  for (const auto& known : known_) {
    if (known.has_ended || !slot.wants(known.cpu_ns_in_slot, known.peak_bytes_in_slot)) continue;
    slot.offer(top_of(known));
  }
  return slot;
}

void ProcessLedger::close_slot(Clock::time_point now) {
  top_.close(live_slot(), now);
  for (auto& known : known_) {
    known.cpu_ns_in_slot = 0;
    known.peak_bytes_in_slot = 0;
  }
}

TopProcessLists ProcessLedger::top(std::size_t count) const {
  return top_.first(live_slot(), count);
}

}  // namespace collectors
