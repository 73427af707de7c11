#include "collectors/process/reaped_children.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace collectors {
namespace {

template <class Counts>
void add(Counts& sum, const Counts& more) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += more[i];
}

/// What `now` has more than `seen`, which becomes the larger of both.
StatCounts taken_growth(const StatCounts& now, StatCounts& seen) {
  StatCounts more{};
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now[i] <= seen[i]) continue;
    more[i] = now[i] - seen[i];
    seen[i] = now[i];
  }
  return more;
}

void take_off(StatCounts& from, StatCounts& owed) {
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto part = std::min(from[i], owed[i]);
    from[i] -= part;
    owed[i] -= part;
  }
}

bool is_any(const StatCounts& counts) { return counts != StatCounts{}; }

// A circle of parents, which pids that came again could make, ends here.
constexpr int kMaxGenerations = 256;
// The heir of a process whose parent came and went unseen.
constexpr std::int32_t kAnyone = 0;

}  // namespace

void ReapedChildren::keep(std::span<const std::int32_t> listed) {
  if (std::exchange(is_settled_, false)) ended_.clear();
  for (auto kin = kin_.begin(); kin != kin_.end();) {
    const auto next = std::next(kin);
    if (!std::ranges::binary_search(listed, kin->first)) end(kin);
    kin = next;
  }
}

void ReapedChildren::see(const FamilyReading& reading) {
  const auto pid = reading.identity.pid;
  auto found = kin_.find(pid);
  if (found != kin_.end() && found->second.identity != reading.identity) {
    end(found);
    found = kin_.end();
  }
  const bool is_new = found == kin_.end();
  auto& kin = is_new ? kin_[pid] : found->second;
  kin.identity = reading.identity;
  kin.parent_pid = reading.parent_pid;
  kin.is_orphan = false;
  taken_growth(reading.own, kin.own);
  const auto growth = taken_growth(reading.children, kin.children);
  if (walk_ == 1) newest_start_ticks_ = std::max(newest_start_ticks_, reading.identity.start_ticks);
  const bool is_old = is_new && reading.identity.start_ticks <= newest_start_ticks_;
  if (!is_old) kin.growth = growth;
  if (reading.storage) kin.storage = *reading.storage;
  kin.walk = walk_;
  kin.order = seen_.size();
  seen_.push_back(pid);
}

bool ReapedChildren::must_list_again() const {
  std::uint64_t last_grown = 0;
  bool is_any_grown = false;
  for (const auto pid : seen_) {
    const auto kin = kin_.find(pid);
    if (kin == kin_.end() || !is_any(kin->second.growth)) continue;
    last_grown = kin->second.order;
    is_any_grown = true;
  }
  if (!is_any_grown) return false;
  return std::ranges::any_of(kin_, [&](const auto& entry) {
    const auto& kin = entry.second;
    const bool was_read_last = kin.walk == walk_ && kin.order > last_grown;
    return !was_read_last && may_be_part_of_growth(kin);
  });
}

/// Whether an ancestor grew, any of whom may have adopted it by then, and it was not read later.
bool ReapedChildren::may_be_part_of_growth(const Kin& kin) const {
  if (kin.is_orphan) return true;
  auto pid = kin.parent_pid;
  for (int generation = 0; generation < kMaxGenerations && pid != 0; ++generation) {
    const auto ancestor = kin_.find(pid);
    if (ancestor == kin_.end()) return true;
    const bool was_read_later = kin.walk == walk_ && kin.order > ancestor->second.order;
    if (is_any(ancestor->second.growth) && !was_read_later) return true;
    pid = ancestor->second.parent_pid;
  }
  return false;
}

void ReapedChildren::settle() {
  move_debts();
  add_debts();
  pay_debts();
  for (const auto pid : seen_) {
    const auto kin = kin_.find(pid);
    if (kin == kin_.end()) continue;
    add(kin->second.found.unseen, std::exchange(kin->second.growth, {}));
  }
  wanted_.clear();
  for (const auto& debt : debts_) want_ancestors(debt.heir_pid);
  adopt_orphans();
  std::ranges::sort(wanted_);
  wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
  seen_.clear();
  ++walk_;
  is_settled_ = true;
}

ReapedChildren::Found ReapedChildren::of(std::int32_t pid) const {
  if (const auto kin = kin_.find(pid); kin != kin_.end()) return kin->second.found;
  const auto ended = ended_.find(pid);
  return ended == ended_.end() ? Found{} : ended->second.found;
}

void ReapedChildren::end(ByPid::iterator kin) {
  ended_.emplace(kin->first, kin->second);
  kin_.erase(kin);
}

/// Who lives and was added what is known of a process with that parent; nullptr where it cannot be
/// told. `is_direct` becomes false when it is not the parent itself.
ReapedChildren::Kin* ReapedChildren::heir_of(std::int32_t pid, std::uint64_t start_ticks,
                                             bool& is_direct) {
  for (int generation = 0; generation < kMaxGenerations; ++generation) {
    const auto is_older = [&](const Kin& kin) { return kin.identity.start_ticks <= start_ticks; };
    const auto alive = kin_.find(pid);
    if (alive != kin_.end() && is_older(alive->second)) return &alive->second;
    const auto [first, last] = ended_.equal_range(pid);
    const auto ended =
        std::find_if(first, last, [&](const auto& entry) { return is_older(entry.second); });
    if (ended == last) return nullptr;
    is_direct = false;
    pid = ended->second.parent_pid;
  }
  return nullptr;
}

/// Those whose heir has ended since: it took them along, or left them to be adopted.
void ReapedChildren::move_debts() {
  for (auto& debt : debts_) {
    const auto kept = debt.is_direct;
    const auto* const heir = heir_of(debt.heir_pid, debt.start_ticks, debt.is_direct);
    const auto pid = heir == nullptr ? kAnyone : heir->identity.pid;
    if (kept != debt.is_direct || pid != debt.heir_pid) debt.is_late = false;
    debt.heir_pid = pid;
  }
}

void ReapedChildren::add_debts() {
  for (const auto& [pid, kin] : ended_) {
    Debt debt{.counts = kin.own, .storage = kin.storage, .start_ticks = kin.identity.start_ticks};
    add(debt.counts, kin.children);
    // It ended before what it was added last was settled: its heir has that, too.
    auto unsettled = kin.growth;
    take_off(debt.counts, unsettled);
    debt.is_direct = !kin.is_orphan;
    const auto* const heir = heir_of(kin.parent_pid, debt.start_ticks, debt.is_direct);
    if (heir == nullptr && kin.parent_pid == 0) continue;  // of another pid namespace
    debt.heir_pid = heir == nullptr ? kAnyone : heir->identity.pid;
    debts_.push_back(debt);
  }
}

bool ReapedChildren::pay_from(Kin& heir, Debt& debt) {
  take_off(heir.growth, debt.counts);
  if (is_any(debt.counts)) return false;
  add(heir.found.children, debt.storage);
  return true;
}

/// Takes a debt off what its heir or, where that may not be the one, an ancestor of it was added.
bool ReapedChildren::pay(Debt& debt) {
  if (debt.heir_pid == kAnyone) {
    return std::ranges::any_of(seen_, [&](std::int32_t pid) {
      const auto heir = kin_.find(pid);
      return heir != kin_.end() && pay_from(heir->second, debt);
    });
  }
  auto pid = debt.heir_pid;
  for (int generation = 0; generation < kMaxGenerations; ++generation) {
    const auto heir = kin_.find(pid);
    if (heir == kin_.end()) return false;
    if (pay_from(heir->second, debt)) return true;
    if (debt.is_direct) return false;
    pid = heir->second.parent_pid;
  }
  return false;
}

void ReapedChildren::pay_debts() {
  // Late ones first, as the others have another chance.
  std::ranges::stable_sort(debts_, {}, [](const Debt& debt) {
    return std::tuple(!debt.is_late, !debt.is_direct, debt.heir_pid == kAnyone);
  });
  // A counter that was read before the end of a child grows at the next reading; one that did not
  // then, never will.
  std::erase_if(debts_,
                [this](Debt& debt) { return pay(debt) || std::exchange(debt.is_late, true); });
}

/// What an orphan's new parent is shows only when it is read again.
void ReapedChildren::adopt_orphans() {
  if (ended_.empty()) return;
  for (auto& [pid, kin] : kin_) {
    if (!ended_.contains(kin.parent_pid)) continue;
    bool is_direct = true;
    const auto* const heir = heir_of(kin.parent_pid, kin.identity.start_ticks, is_direct);
    if (is_direct) continue;
    kin.parent_pid = heir == nullptr ? 0 : heir->identity.pid;
    kin.is_orphan = true;
    wanted_.push_back(pid);
  }
}

void ReapedChildren::want_ancestors(std::int32_t pid) {
  for (int generation = 0; generation < kMaxGenerations; ++generation) {
    const auto kin = kin_.find(pid);
    if (kin == kin_.end()) return;
    wanted_.push_back(pid);
    pid = kin->second.parent_pid;
  }
}

}  // namespace collectors
