// Which groups of the ledger get a place of their own.
#include <algorithm>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "collectors/process/ledger.hpp"

namespace collectors {
namespace {

// Of all processes that find no place, so many are asked for again at a time.
constexpr std::size_t kMostAskedAgain = 1024;

struct Claim {
  std::uint64_t cpu_ns = 0;
  std::optional<std::uint32_t> user_id;
};

}  // namespace

bool ProcessLedger::give_places_to_busiest(const ProcessWalkResult& walk, Clock::time_point now) {
  std::map<GroupKey, Claim> by_key;
  bool is_complete = true;
  GroupKey key;
  for (const auto& sample : walk.processes) {
    const auto answer = resolver_.resolve(sample.basics, false, key);
    if (answer == GroupResolver::Answer::later) is_complete = false;
    if (answer != GroupResolver::Answer::named) continue;
    auto& claim = by_key.try_emplace(key, Claim{0, sample.basics.user_id}).first->second;
    claim.cpu_ns += sample.use.cpu_ns;
  }
  std::vector<std::pair<GroupKey, Claim>> ranking(by_key.begin(), by_key.end());
  std::ranges::stable_sort(ranking, std::greater(),
                           [](const auto& entry) { return entry.second.cpu_ns; });
  for (const auto& [ranked, claim] : ranking) groups_.at(ranked, claim.user_id, now);
  return is_complete;
}

/// Of what waits in `other` for a place, the busiest of late first.
void ProcessLedger::give_free_places(Clock::time_point now) {
  std::vector<Known*> crowded;
  for (auto& known : known_) {
    if (known.is_crowded_out && !known.has_ended) crowded.push_back(&known);
  }
  std::ranges::stable_sort(crowded, std::greater(), &Known::cpu_ns_in_slot);
  crowded.resize(std::min(crowded.size(), kMostAskedAgain));
  for (auto* const known : crowded) name(*known, now);
}

}  // namespace collectors
