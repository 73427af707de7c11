#include "collectors/process/ledger.hpp"

#include <algorithm>
#include <utility>

namespace collectors {
namespace {

// So many processes may have gone between two that are walked, and so many more may be out of
// order, before an index is worth its making.
constexpr std::size_t kLookAhead = 16;
constexpr std::size_t kFewStray = 4;
// A sum waits longer than a vanished process, which may be in it and, where its pid came back and
// could not be read, may be missed only later.
constexpr auto kSumsWait = ProcessLedger::kPatience + std::chrono::seconds(10);
// The memory of processes that seem lost is some half MiB.
constexpr std::size_t kMostDeparted = 2048;

/// Whether it may belong to another group now.
bool is_moved(const ProcessBasics& before, const ProcessBasics& now) {
  return has_changed(before, now) || before.user_id != now.user_id ||
         before.cgroup_id != now.cgroup_id;
}

}  // namespace

std::size_t ProcessLedger::HashIdentity::operator()(
    const ProcessIdentity& identity) const noexcept {
  return std::hash<std::uint64_t>()(identity.start_ticks * 0x9E3779B97F4A7C15U +
                                    static_cast<std::uint32_t>(identity.pid));
}

ProcessLedger::ProcessLedger(GroupResolver& resolver, Options options)
    : resolver_(resolver),
      options_(options),
      groups_(options.groups),
      top_(options.window),
      sums_(kSumsWait),
      departed_({kMostDeparted, kMemory}) {}

void ProcessLedger::take(const ProcessExits& exits, const ProcessWalkResult& walk, WalkFor purpose,
                         Clock::time_point now) {
  ++walks_;
  exits_.clear();
  for (const auto& exit : exits.exits) {
    const auto [entry, is_first] = exits_.try_emplace(exit.basics.identity, &exit);
    // A start that is told roughly is the same for a pid that came again: of these, walks can know
    // the last at most.
    if (!is_first) take_unseen_exit(*std::exchange(entry->second, &exit), now);
  }
  sums_.add(exits.sums, now);
  settle_waiting(now);
  departed_.forget_old(now);
  if (ranking_walks_ > 0) {
    ranking_walks_ = give_places_to_busiest(walk, now) ? 0 : ranking_walks_ - 1;
  }
  join(walk, now);
  if (walks_ == 1) first_start_ticks_ = newest_start_ticks_;
  settle_vanished(walk.unread, now);
  take_unseen_exits(now);
  take_sums(now);
  record_peaks(now);
  if (purpose == WalkFor::page || top_.is_due(now)) keep_occupied_groups(now);
  if (purpose == WalkFor::page) count_members(walk);
  if (top_.is_due(now)) close_slot(now);
}

void ProcessLedger::rematch() {
  ranking_walks_ = kRankingWalks;
  for (auto& known : known_) known.is_unnamed = !known.has_ended;
}

void ProcessLedger::end_tick(Clock::time_point now, std::chrono::nanoseconds length) {
  for (auto& [key, group] : groups_.by_key()) {
    const auto cpu_ns =
        group.totals.cpu_ns - std::exchange(group.cpu_ns_at_tick, group.totals.cpu_ns);
    if (walks_ == 1 || length.count() <= 0) continue;
    const auto cores = static_cast<double>(cpu_ns) / static_cast<double>(length.count());
    group.cpu_cores.record(cores);
    group.cpu_cores_peak.record(now, cores);
  }
}

/// The exits of those that were missed in earlier walks.
void ProcessLedger::settle_waiting(Clock::time_point now) {
  for (auto entry = waiting_.begin(); entry != waiting_.end();) {
    auto& [known, since] = entry->second;
    const auto exit = exits_.find(entry->first);
    if (exit != exits_.end()) {
      finish(known, *exit->second, now);
      exits_.erase(exit);
    } else if (now - since < kPatience) {
      ++entry;
      continue;
    } else {
      give_up(known, now);
    }
    resolver_.forget(entry->first);
    entry = waiting_.erase(entry);
  }
}

void ProcessLedger::join(const ProcessWalkResult& walk, Clock::time_point now) {
  forget_order();
  std::size_t at = 0;
  const auto newest = newest_start_ticks_;
  for (const auto& sample : walk.processes) {
    const auto& identity = sample.basics.identity;
    newest_start_ticks_ = std::max(newest_start_ticks_, identity.start_ticks);
    auto* const known = identity.start_ticks > newest ? nullptr : find(identity, at);
    if (known == nullptr) {
      meet(sample, now);
    } else {
      see(*known, sample, now);
    }
  }
}

void ProcessLedger::forget_order() {
  index_.clear();
  stray_ = 0;
}

/// Walks come in the same order, so the process is the one after the last found, or a few later.
ProcessLedger::Known* ProcessLedger::find(const ProcessIdentity& identity, std::size_t& at) {
  const auto end = std::min(known_.size(), at + kLookAhead);
  for (auto next = at; next < end; ++next) {
    if (known_[next].basics.identity == identity) {
      at = next + 1;
      return &known_[next];
    }
  }
  if (index_.empty() && stray_++ < kFewStray) {
    const auto found = std::ranges::find(known_, identity,
                                         [](const Known& known) { return known.basics.identity; });
    if (found == known_.end()) return nullptr;
    at = static_cast<std::size_t>(found - known_.begin()) + 1;
    return &*found;
  }
  if (index_.empty()) {
    for (std::size_t n = 0; n < known_.size(); ++n) index_.emplace(known_[n].basics.identity, n);
  }
  const auto found = index_.find(identity);
  if (found == index_.end()) return nullptr;
  at = found->second + 1;
  return &known_[found->second];
}

ProcessLedger::Known ProcessLedger::newcomer(const ProcessBasics& basics, bool is_of_before,
                                             std::optional<std::uint64_t> mark_bytes) {
  Known known;
  known.basics = basics;
  known.is_started = !is_of_before;
  known.is_of_before = is_of_before;
  if (is_of_before) known.peak_bytes = mark_bytes.value_or(0);
  return known;
}

/// A process that was missing from walks and whose exit was not told need not be new.
std::optional<ProcessLedger::Known> ProcessLedger::recall(const ProcessIdentity& identity) {
  if (const auto entry = waiting_.find(identity); entry != waiting_.end()) {
    auto known = entry->second.known;
    waiting_.erase(entry);
    return known;
  }
  auto known = departed_.take(identity);
  if (known) known->is_unnamed = true;  // the resolver has forgotten it
  return known;
}

void ProcessLedger::meet(const ProcessSample& sample, Clock::time_point now) {
  if (const auto known = recall(sample.basics.identity)) {
    known_.push_back(*known);
    see(known_.back(), sample, now);
    return;
  }
  // One that is older than the first walk was there, even where it could not be read yet.
  const bool is_of_before = walks_ == 1 || sample.basics.identity.start_ticks < first_start_ticks_;
  std::optional<std::uint64_t> mark_bytes;
  if (sample.memory) mark_bytes = sample.memory->peak_resident_bytes;
  known_.push_back(newcomer(sample.basics, is_of_before, mark_bytes));
  see(known_.back(), sample, now);
}

void ProcessLedger::see(Known& known, const ProcessSample& sample, Clock::time_point now) {
  const bool is_as_before = sample.is_unchanged && known.walk + 1 == walks_ && !known.is_unnamed;
  known.walk = walks_;
  if (known.has_ended) return;
  if (is_as_before && (exits_.empty() || !exits_.contains(known.basics.identity))) {
    see_peak(known, known.peak_bytes, known.resident_bytes);
    return;
  }
  if (is_moved(known.basics, sample.basics)) known.is_unnamed = true;
  known.basics = sample.basics;
  if (known.is_unnamed) name(known, now);
  account(known, sample.use, sample.walks);
  known.resident_bytes = sample.memory ? sample.memory->resident_bytes : 0;
  if (sample.memory) see_peak(known, sample.memory->peak_resident_bytes, known.resident_bytes);
  if (exits_.empty()) return;
  if (const auto exit = exits_.find(known.basics.identity); exit != exits_.end()) {
    finish(known, *exit->second, now);
    exits_.erase(exit);
  }
}

void ProcessLedger::settle_vanished(std::span<const std::int32_t> unread, Clock::time_point now) {
  const auto is_unread = [&](const Known& known) {
    return std::ranges::find(unread, known.basics.identity.pid) != unread.end();
  };
  std::erase_if(known_, [&](Known& known) {
    if (known.walk == walks_) return false;
    // Listed but not read: perhaps it lives on, and forgotten it would be counted anew.
    if (!unread.empty() && is_unread(known)) return false;
    const auto identity = known.basics.identity;
    if (known.has_ended) {
      resolver_.forget(identity);
      return true;
    }
    if (const auto exit = exits_.find(identity); exit != exits_.end()) {
      finish(known, *exit->second, now);
      exits_.erase(exit);
    } else if (options_.has_exits) {
      waiting_.insert_or_assign(identity, Waiting{known, now});
      return true;
    } else {
      give_up(known, now);
    }
    resolver_.forget(identity);
    return true;
  });
}

/// Of those that came and went between two walks. What is left of them as a zombie would have been
/// in this one, so they need not be remembered.
void ProcessLedger::take_unseen_exits(Clock::time_point now) {
  for (const auto& [identity, exit] : exits_) take_unseen_exit(*exit, now);
  exits_.clear();
}

void ProcessLedger::take_unseen_exit(const ProcessExit& exit, Clock::time_point now) {
  const auto& identity = exit.basics.identity;
  auto known = departed_.take(identity);
  if (!known) {
    known =
        newcomer(exit.basics, identity.start_ticks < first_start_ticks_, exit.peak_resident_bytes);
  }
  finish(*known, exit, now);
}

GroupTable::Place ProcessLedger::place_of(const ExitSum& sum, Clock::time_point now) {
  ProcessBasics basics;
  basics.comm = sum.comm;
  basics.user_id = sum.user_id;
  basics.cgroup_id = sum.cgroup_id;
  GroupKey key;
  // Rules may need what sums do not have: what no rule fits is not nobody's here.
  const bool is_named =
      !sum.is_nameless && resolver_.resolve(basics, true, key) == GroupResolver::Answer::named;
  if (!is_named) return {groups_.other(now)};
  return groups_.at(key, sum.user_id, now);
}

void ProcessLedger::take_sums(Clock::time_point now) {
  for (const auto& [sum, known_exits] : sums_.settle(now)) {
    const auto [group, is_crowded_out] = place_of(sum, now);
    credit(group, sum.use);
    std::uint64_t exits = 0;
    for (std::size_t reason = 0; reason < sum.exits.size(); ++reason) {
      group.exited[reason] += sum.exits[reason];
      exits += sum.exits[reason];
    }
    if (is_crowded_out) groups_.count_crowded_out(exits);
    group.started += exits - known_exits;
    group.last_occupied_at = now;
    if (sum.peak_resident_bytes) {
      group.peak_bytes_in_walk = std::max(group.peak_bytes_in_walk, *sum.peak_resident_bytes);
    }
  }
}

}  // namespace collectors
