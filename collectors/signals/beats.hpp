#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace collectors::signals {

/// Tells what each tick of a sampler is good for, and counts the beats: one each interval since the
/// first tick. A beat is sampled or missed, so that both together are the time that passed.
/// Pure: all time is passed in. Not thread-safe.
class Beats {
 public:
  using Time = std::chrono::steady_clock::time_point;

  enum class Use : std::uint8_t {
    base,    ///< The first one, or the first after the host was suspended: to measure from.
    merged,  ///< So soon after the last one that its time goes to the next one's.
    sample,  ///< One sample over the time since the last base or sample.
  };
  struct Tick {
    Use use;
    double seconds = 0;  ///< Of a sample: what it is over.
  };

  explicit Beats(std::chrono::nanoseconds interval) : interval_(interval) {}

  /// `suspended`: for how long the host has been, ever; the clock of `now` stands still meanwhile.
  Tick tick(Time now, std::chrono::nanoseconds suspended);

  [[nodiscard]] double sampled_seconds() const;
  [[nodiscard]] double missed_seconds() const;

 private:
  [[nodiscard]] std::int64_t beats_due(Time now) const;
  [[nodiscard]] double in_intervals(std::chrono::nanoseconds time) const;

  std::chrono::nanoseconds interval_;
  std::optional<Time> first_;
  Time last_;  // base or sample
  std::chrono::nanoseconds suspended_{0};
  std::int64_t counted_ = 0;  // beats since first_, while the clock ran
  std::int64_t sampled_ = 0;
  std::int64_t missed_ = 0;
};

}  // namespace collectors::signals
