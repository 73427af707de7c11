#include "collectors/process/sampling_pace.hpp"

#include <algorithm>
#include <chrono>

namespace collectors {
namespace {

// A mean over the last few walks: caches are warm in one, and cold in the next.
void learn_from(double& mean, double value) {
  constexpr double kWeight = 0.2;
  mean += kWeight * (value - mean);
}

}  // namespace

double SamplingPace::saved_seconds(Clock::time_point now) const {
  if (!at_) return kSavedSeconds * budget_cores_;
  const std::chrono::duration<double> passed = now - *at_;
  return std::min(seconds_ + budget_cores_ * passed.count(), kSavedSeconds * budget_cores_);
}

bool SamplingPace::is_due(Clock::time_point now, std::size_t readings) const {
  const auto expected = seconds_per_list_ + seconds_per_reading_ * static_cast<double>(readings);
  return saved_seconds(now) >= std::min(expected, kSavedSeconds * budget_cores_);
}

std::size_t SamplingPace::affordable(Clock::time_point now) const {
  const auto for_readings = saved_seconds(now) - seconds_per_list_;
  return static_cast<std::size_t>(std::max(1.0, for_readings / seconds_per_reading_));
}

void SamplingPace::charge(Clock::time_point now, double seconds) {
  seconds_ = saved_seconds(now) - seconds;
  at_ = now;
}

void SamplingPace::spend(Clock::time_point now, const Cost& cost) {
  charge(now, cost.seconds);
  learn_from(seconds_per_list_, cost.seconds - cost.reading_seconds);
  if (cost.readings == 0 || cost.reading_seconds <= 0) return;
  learn_from(seconds_per_reading_, cost.reading_seconds / static_cast<double>(cost.readings));
}

void ReadingPeriod::was_read(std::uint64_t walk, bool is_idle) {
  walks_ = is_idle ? std::min(2 * walks_, kLongest) : 1;
  due_at_ = walk + walks_;
}

}  // namespace collectors
