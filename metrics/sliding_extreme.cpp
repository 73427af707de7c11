#include "metrics/sliding_extreme.hpp"

#include <algorithm>
#include <cstddef>

namespace metrics {

SlidingExtreme::SlidingExtreme(Which which, std::chrono::nanoseconds window)
    : which_(which),
      // Rounded up, so that the buckets cover the window whole.
      bucket_length_((std::max<std::int64_t>(window.count(), 1) + kBuckets - 1) / kBuckets),
      ring_(kBuckets + 1, {0, Time::min()}) {}

bool SlidingExtreme::outdoes(const Extreme& sample, const Extreme& other) const {
  if (sample.value == other.value) return sample.time >= other.time;
  return which_ == Which::largest ? sample.value > other.value : sample.value < other.value;
}

void SlidingExtreme::record(Time time, double value) {
  const auto number = bucket_of(time);
  auto& bucket = ring_[static_cast<std::size_t>(number) % ring_.size()];
  const Extreme sample{value, time};
  const bool is_of_earlier = bucket.time < start_of(number);
  if (is_of_earlier || outdoes(sample, bucket)) bucket = sample;
}

std::optional<SlidingExtreme::Extreme> SlidingExtreme::at(Time now) const {
  const auto oldest = start_of(bucket_of(now) - kBuckets);
  const Extreme* best = nullptr;
  for (const auto& bucket : ring_) {
    if (bucket.time < oldest) continue;
    if (best == nullptr || outdoes(bucket, *best)) best = &bucket;
  }
  return best == nullptr ? std::nullopt : std::optional(*best);
}

}  // namespace metrics
