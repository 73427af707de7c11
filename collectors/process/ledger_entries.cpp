// The ledger's single entries: naming, counting and ending one process.
#include <algorithm>
#include <utility>

#include "collectors/process/ledger.hpp"

namespace collectors {
namespace {

std::uint64_t growth(std::uint64_t now, std::uint64_t before) {
  return now > before ? now - before : 0;
}

/// What `now` has more than `counted`, which becomes the larger of both: a value that steps back
/// and recovers must not count twice.
ProcessUse taken_growth(const ProcessUse& now, ProcessUse& counted) {
  ProcessUse more;
  more.cpu_ns = growth(now.cpu_ns, counted.cpu_ns);
  // The split is an estimate, and may move back while the sum does not.
  more.user_ns = std::min(growth(now.user_ns, counted.user_ns), more.cpu_ns);
  more.readable = now.readable;
  counted.cpu_ns += more.cpu_ns;
  counted.user_ns += more.user_ns;
  counted.readable |= now.readable;
  for (std::size_t count = 0; count < kCounts; ++count) {
    more.counts[count] = growth(now.counts[count], counted.counts[count]);
    counted.counts[count] += more.counts[count];
  }
  return more;
}

}  // namespace

void ProcessLedger::name(Known& known, Clock::time_point now) {
  GroupKey key;
  switch (resolver_.resolve(known.basics, known.has_ended, key)) {
    case GroupResolver::Answer::later:
      known.is_unnamed = true;
      return;
    case GroupResolver::Answer::none:
      known.is_unnamed = false;
      return;
    case GroupResolver::Answer::named:
      break;
  }
  known.is_unnamed = false;
  known.group = &groups_.at(key, now);
  if (std::exchange(known.is_started, false)) ++known.group->started;
}

void ProcessLedger::credit(ProcessGroup& group, const ProcessUse& more) {
  group.totals.cpu_ns += more.cpu_ns;
  group.totals.user_ns += more.user_ns;
  group.totals.readable |= more.readable;
  for (std::size_t count = 0; count < kCounts; ++count) {
    group.totals.counts[count] += more.counts[count];
  }
  attributed_cpu_ns_ += more.cpu_ns;
}

void ProcessLedger::account(Known& known, const ProcessUse& use) {
  // Without a group yet, all is left for the one to come; in none, for nobody.
  if (known.is_unnamed) return;
  const auto more = taken_growth(use, known.counted);
  if (known.group == nullptr) return;
  if (walks_ > 1) known.cpu_ns_in_slot += more.cpu_ns;  // what was before is of no window
  credit(*known.group, more);
}

/// A mark that rose since the last look is a peak of right now, however short; one that did not may
/// be of last week, and says nothing of now.
void ProcessLedger::see_peak(Known& known, std::uint64_t mark_bytes, std::uint64_t resident_bytes,
                             Clock::time_point now) {
  const bool is_old = walks_ == 1;  // it may be of before our time
  const auto peak = mark_bytes > known.peak_bytes && !is_old ? mark_bytes : resident_bytes;
  known.peak_bytes = std::max(known.peak_bytes, mark_bytes);
  if (known.group == nullptr || peak == 0) return;
  known.peak_bytes_in_slot = std::max(known.peak_bytes_in_slot, peak);
  known.group->memory_peak_bytes.record(now, static_cast<double>(peak));
}

void ProcessLedger::finish(Known& known, const ProcessExit& exit, Clock::time_point now) {
  known.has_ended = true;
  const bool is_renamed = known.basics.comm != exit.basics.comm;
  known.basics.comm = exit.basics.comm;
  if (known.is_unnamed || is_renamed) name(known, now);
  account(known, exit.use);
  if (exit.peak_resident_bytes) see_peak(known, *exit.peak_resident_bytes, 0, now);
  if (known.group != nullptr) {
    ++known.group->exited[static_cast<std::size_t>(exit.reason)];
    known.group->last_occupied_at = now;
  }
  top_.add_ended(top_of(known));
}

/// It is gone, and nobody will tell its exit.
void ProcessLedger::give_up(Known& known) {
  top_.add_ended(top_of(known));
  if (!options_.has_exits || sums_.absorb(known.basics.comm, known.counted)) return;
  ++untold_exits_;
}

void ProcessLedger::count_members(const ProcessWalkResult& walk) {
  for (auto& [key, group] : groups_.by_key()) group.members = {};
  index_.clear();  // some have gone since it was made
  std::size_t at = 0;
  for (const auto& sample : walk.processes) {
    auto* const known = find(sample.basics.identity, at);
    if (known != nullptr && known->group != nullptr) known->group->members.add(sample);
  }
}

void ProcessLedger::keep_occupied_groups(Clock::time_point now) {
  for (const auto& known : known_) {
    if (known.group != nullptr) known.group->last_occupied_at = now;
  }
  for (const auto& [identity, waiting] : waiting_) {
    if (waiting.known.group != nullptr) waiting.known.group->last_occupied_at = now;
  }
  groups_.drop_empty(now);
}

TopProcess ProcessLedger::top_of(const Known& known) {
  return {known.basics.identity,  known.basics.comm,    known.basics.user_id,
          known.basics.cgroup_id, known.cpu_ns_in_slot, known.peak_bytes_in_slot};
}

TopSlot ProcessLedger::live_slot() const {
  TopSlot slot;
  for (const auto& known : known_) {
    if (!known.has_ended) slot.offer(top_of(known));
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

std::vector<TopProcess> ProcessLedger::busiest(std::size_t count) const {
  return top_.busiest(live_slot(), count);
}

std::vector<TopProcess> ProcessLedger::largest(std::size_t count) const {
  return top_.largest(live_slot(), count);
}

}  // namespace collectors
