#include "collectors/process/ledger.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace collectors {
namespace {

// So many processes may have gone between two that are walked, before an index is worth its making.
constexpr std::size_t kLookAhead = 16;
// A sum waits longer than a vanished process, which may be in it and, where its pid came back and
// could not be read, may be missed only later.
constexpr auto kSumsWait = ProcessLedger::kPatience + std::chrono::seconds(10);

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
      sums_(kSumsWait) {}

void ProcessLedger::take(const ProcessExits& exits, const ProcessWalkResult& walk, WalkFor purpose,
                         Clock::time_point now) {
  ++walks_;
  exits_.clear();
  for (const auto& exit : exits.exits) exits_.insert_or_assign(exit.basics.identity, &exit);
  sums_.add(exits.sums, now);
  settle_waiting(now);
  if (walks_ == 1) give_places_to_busiest(walk, now);
  join(walk, now);
  settle_vanished(walk.unread, now);
  take_unseen_exits(now);
  take_sums(now);
  if (purpose == WalkFor::page) count_members(walk);
  if (purpose == WalkFor::page || top_.is_due(now)) keep_occupied_groups(now);
  if (top_.is_due(now)) close_slot(now);
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
      give_up(known);
    }
    resolver_.forget(entry->first);
    entry = waiting_.erase(entry);
  }
}

void ProcessLedger::give_places_to_busiest(const ProcessWalkResult& walk, Clock::time_point now) {
  std::map<GroupKey, std::uint64_t> cpu_by_key;
  GroupKey key;
  for (const auto& sample : walk.processes) {
    if (resolver_.resolve(sample.basics, false, key) != GroupResolver::Answer::named) continue;
    cpu_by_key[key] += sample.use.cpu_ns;
  }
  std::vector<std::pair<GroupKey, std::uint64_t>> ranking(cpu_by_key.begin(), cpu_by_key.end());
  std::ranges::stable_sort(ranking, std::greater(), &decltype(ranking)::value_type::second);
  for (const auto& [ranked, cpu_ns] : ranking) groups_.at(ranked, now);
}

void ProcessLedger::join(const ProcessWalkResult& walk, Clock::time_point now) {
  index_.clear();
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

/// Walks come in the same order, so the process is the one after the last found, or a few later.
ProcessLedger::Known* ProcessLedger::find(const ProcessIdentity& identity, std::size_t& at) {
  const auto end = std::min(known_.size(), at + kLookAhead);
  for (auto next = at; next < end; ++next) {
    if (known_[next].basics.identity == identity) {
      at = next + 1;
      return &known_[next];
    }
  }
  if (index_.empty()) {
    for (std::size_t n = 0; n < known_.size(); ++n) index_.emplace(known_[n].basics.identity, n);
  }
  const auto found = index_.find(identity);
  if (found == index_.end()) return nullptr;
  at = found->second + 1;
  return &known_[found->second];
}

void ProcessLedger::meet(const ProcessSample& sample, Clock::time_point now) {
  Known known;
  known.basics = sample.basics;
  known.is_started = walks_ > 1;
  known_.push_back(known);
  see(known_.back(), sample, now);
}

void ProcessLedger::see(Known& known, const ProcessSample& sample, Clock::time_point now) {
  known.walk = walks_;
  if (known.has_ended) return;
  const bool is_renamed =
      known.basics.comm != sample.basics.comm || known.basics.execs != sample.basics.execs;
  if (is_renamed) known.basics = sample.basics;
  if (known.is_unnamed || is_renamed) name(known, now);
  account(known, sample.use);
  if (sample.memory) {
    see_peak(known, sample.memory->peak_resident_bytes, sample.memory->resident_bytes, now);
  }
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
      give_up(known);
    }
    resolver_.forget(identity);
    return true;
  });
}

/// Of those that came and went between two walks. What is left of them as a zombie would have been
/// in this one, so they need not be remembered.
void ProcessLedger::take_unseen_exits(Clock::time_point now) {
  for (const auto& [identity, exit] : exits_) {
    Known known;
    known.basics = exit->basics;
    known.is_started = true;
    finish(known, *exit, now);
  }
  exits_.clear();
}

void ProcessLedger::take_sums(Clock::time_point now) {
  GroupKey key;
  for (const auto& [sum, known_exits] : sums_.settle(now)) {
    ProcessBasics basics;
    basics.comm = sum.comm;
    basics.user_id = sum.user_id;
    basics.cgroup_id = sum.cgroup_id;
    if (resolver_.resolve(basics, true, key) != GroupResolver::Answer::named) continue;
    auto& group = groups_.at(key, now);
    credit(group, sum.use);
    std::uint64_t exits = 0;
    for (std::size_t reason = 0; reason < sum.exits.size(); ++reason) {
      group.exited[reason] += sum.exits[reason];
      exits += sum.exits[reason];
    }
    group.started += exits - known_exits;
    group.last_occupied_at = now;
    if (sum.peak_resident_bytes) {
      group.memory_peak_bytes.record(now, static_cast<double>(*sum.peak_resident_bytes));
    }
  }
}

}  // namespace collectors
