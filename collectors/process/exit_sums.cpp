#include "collectors/process/exit_sums.hpp"

#include <algorithm>
#include <numeric>

namespace collectors {
namespace {

std::uint64_t exits_of(const ExitSum& sum) {
  return std::accumulate(sum.exits.begin(), sum.exits.end(), std::uint64_t{0});
}

/// Takes off as much as there is of what is owed, and leaves the rest owed.
void take_off(std::uint64_t& value, std::uint64_t& owed) {
  const auto part = std::min(value, owed);
  value -= part;
  owed -= part;
}

void take_off(ProcessUse& use, ProcessUse& owed) {
  take_off(use.cpu_ns, owed.cpu_ns);
  take_off(use.user_ns, owed.user_ns);
  // The split is an estimate, and that of a part may not fit that of the whole.
  use.user_ns = std::min(use.user_ns, use.cpu_ns);
  for (std::size_t count = 0; count < kCounts; ++count) {
    take_off(use.counts[count], owed.counts[count]);
  }
}

}  // namespace

void ExitSums::add(std::span<const ExitSum> sums, Clock::time_point now) {
  for (const auto& sum : sums) waiting_.push_back({{sum, 0}, now + delay_});
}

bool ExitSums::absorb(const Comm& comm, const ProcessUse& counted, Clock::time_point now) {
  const auto has_room = [](const Waiting& waiting) {
    return waiting.settled.known_exits < exits_of(waiting.settled.sum);
  };
  auto found = std::ranges::find_if(waiting_, [&](const Waiting& waiting) {
    const auto& sum = waiting.settled.sum;
    return !sum.is_nameless && sum.comm == comm && has_room(waiting);
  });
  if (found == waiting_.end()) {
    found = std::ranges::find_if(waiting_, [&](const Waiting& waiting) {
      return waiting.settled.sum.is_nameless && has_room(waiting);
    });
  }
  // It may have changed its name after it was seen last: better a wrong group than too much in all.
  if (found == waiting_.end()) found = std::ranges::find_if(waiting_, has_room);
  if (found == waiting_.end()) return false;
  ++found->settled.known_exits;
  auto owed = counted;
  take_off(found->settled.sum.use, owed);
  owe(owed, now);
  return true;
}

void ExitSums::owe(const ProcessUse& use, Clock::time_point now) {
  const auto until = now + delay_;
  if (owed_.empty() || until - owed_.back().until >= std::chrono::seconds(1)) {
    owed_.push_back({{}, until});
  }
  owed_.back().use.add(use);
}

std::vector<ExitSums::Settled> ExitSums::settle(Clock::time_point now) {
  std::vector<Settled> settled;
  std::erase_if(owed_, [&](const Owed& owed) { return owed.until < now; });
  std::erase_if(waiting_, [&](Waiting& waiting) {
    if (now < waiting.due) return false;
    auto& use = waiting.settled.sum.use;
    use.user_ns = std::min(use.user_ns, use.cpu_ns);
    for (auto& owed : owed_) take_off(use, owed.use);
    settled.push_back(waiting.settled);
    return true;
  });
  return settled;
}

}  // namespace collectors
