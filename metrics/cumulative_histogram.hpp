#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "metrics/sink.hpp"

namespace metrics {

/// Counts samples by size, from its construction on and never less. No allocation after the
/// constructor. Not thread-safe.
class CumulativeHistogram {
 public:
  /// `edges`: the inclusive upper bounds of the buckets, finite and ascending, without +Inf, which
  /// has a bucket of its own. They must outlive the histogram.
  explicit CumulativeHistogram(std::span<const double> edges)
      : edges_(edges), counts_(edges.size() + 1) {}

  /// O(log n) of the edges. NaN is no sample.
  void record(double value);

  [[nodiscard]] std::size_t bucket_count() const { return counts_.size(); }

  /// What has been recorded, with its buckets in `room`, which must hold bucket_count() of them.
  [[nodiscard]] Histogram reading(std::span<Bucket> room) const;

 private:
  std::span<const double> edges_;
  std::vector<std::uint64_t> counts_;  // of each bucket alone; the last is +Inf's
  double sum_ = 0;
};

}  // namespace metrics
