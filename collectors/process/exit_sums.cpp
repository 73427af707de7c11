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
  for (std::size_t count = 0; count < kCounts; ++count) {
    take_off(use.counts[count], owed.counts[count]);
  }
}

void add_to(ProcessUse& use, const ProcessUse& more) {
  use.cpu_ns += more.cpu_ns;
  use.user_ns += more.user_ns;
  for (std::size_t count = 0; count < kCounts; ++count) use.counts[count] += more.counts[count];
}

}  // namespace

void ExitSums::add(std::span<const ExitSum> sums, Clock::time_point now) {
  for (const auto& sum : sums) waiting_.push_back({{sum, 0}, now + delay_});
}

bool ExitSums::absorb(const Comm& comm, const ProcessUse& counted) {
  const auto has_room = [](const Waiting& waiting) {
    return waiting.settled.known_exits < exits_of(waiting.settled.sum);
  };
  auto found = std::ranges::find_if(waiting_, [&](const Waiting& waiting) {
    return waiting.settled.sum.comm == comm && has_room(waiting);
  });
  // It may have changed its name after it was seen last: better a wrong group than too much in all.
  if (found == waiting_.end()) found = std::ranges::find_if(waiting_, has_room);
  if (found == waiting_.end()) return false;
  ++found->settled.known_exits;
  auto owed = counted;
  take_off(found->settled.sum.use, owed);
  add_to(owed_, owed);
  return true;
}

std::vector<ExitSums::Settled> ExitSums::settle(Clock::time_point now) {
  std::vector<Settled> settled;
  std::erase_if(waiting_, [&](Waiting& waiting) {
    if (now < waiting.due) return false;
    take_off(waiting.settled.sum.use, owed_);
    settled.push_back(waiting.settled);
    return true;
  });
  return settled;
}

}  // namespace collectors
