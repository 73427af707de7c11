#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace metrics {

/// The largest (or smallest) of the samples of late, and when it was. A sample is remembered for at
/// least `window`, and for at most the 60th part of it longer: the memory is a ring of 61 buckets,
/// however many samples come. No allocation after the constructor. Not thread-safe.
class SlidingExtreme {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class Which : bool { largest, smallest };

  struct Extreme {
    double value;
    Time time;  ///< Of the newest sample that had the value.
  };

  SlidingExtreme(Which which, std::chrono::nanoseconds window);

  /// O(1). `time` must not be before that of an earlier sample, nor before the clock's zero.
  void record(Time time, double value);

  /// Nothing when no sample is remembered. Scans the ring.
  [[nodiscard]] std::optional<Extreme> at(Time now) const;

 private:
  static constexpr std::int64_t kBuckets = 60;  // of a window; the ring has one more

  [[nodiscard]] std::int64_t bucket_of(Time time) const {
    return time.time_since_epoch() / bucket_length_;
  }
  /// Comparing with it is what bucket_of() would tell, without its division.
  [[nodiscard]] Time start_of(std::int64_t bucket) const {
    return Time(std::chrono::duration_cast<Time::duration>(bucket * bucket_length_));
  }
  [[nodiscard]] bool outdoes(const Extreme& sample, const Extreme& other) const;

  Which which_;
  std::chrono::nanoseconds bucket_length_;
  std::vector<Extreme> ring_;  // bucket n is at n % ring_.size(); Time::min() marks an empty one
};

}  // namespace metrics
