#include "metrics/cumulative_histogram.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace metrics {

void CumulativeHistogram::record(double value) {
  if (std::isnan(value)) return;
  const auto edge = std::ranges::lower_bound(edges_, value);
  ++counts_[static_cast<std::size_t>(edge - edges_.begin())];
  sum_ += value;
}

Histogram CumulativeHistogram::reading(std::span<Bucket> room) const {
  assert(room.size() >= counts_.size());
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    total += counts_[i];
    const bool is_last = i == edges_.size();
    room[i] = {is_last ? std::numeric_limits<double>::infinity() : edges_[i], total};
  }
  return {room.first(counts_.size()), sum_};
}

}  // namespace metrics
