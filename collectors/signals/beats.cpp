#include "collectors/signals/beats.hpp"

#include <algorithm>
#include <cmath>

namespace collectors::signals {
namespace {

std::int64_t to_beats(double intervals) {
  return std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(intervals + 0.5)));
}

}  // namespace

double Beats::in_intervals(std::chrono::nanoseconds time) const {
  return static_cast<double>(time.count()) / static_cast<double>(interval_.count());
}

/// Counted from the first tick and not from the last one, so that what ticks are late or early by
/// does not add up.
std::int64_t Beats::beats_due(Time now) const {
  constexpr double kRegular = 0.25;
  const double due = in_intervals(now - *first_) - static_cast<double>(counted_);
  const double since_last = in_intervals(now - last_);
  // A tick an interval after the last one is one beat. Where the ticks are half a beat off the
  // first one, the least jitter would otherwise make it two or none.
  if (std::abs(since_last - 1) <= kRegular && due > 0 && due < 2) return 1;
  return to_beats(due);
}

Beats::Tick Beats::tick(Time now, std::chrono::nanoseconds suspended) {
  if (!first_) {
    first_ = last_ = now;
    suspended_ = suspended;
    return {Use::base};
  }
  const auto due = beats_due(now);
  if (suspended - suspended_ > interval_ / 2) {
    missed_ += due + to_beats(in_intervals(suspended - suspended_));
    suspended_ = suspended;
    counted_ += due;
    last_ = now;
    return {Use::base};
  }
  if (due == 0 || now - last_ < interval_ / 2) return {Use::merged};
  ++sampled_;
  missed_ += due - 1;
  counted_ += due;
  const std::chrono::duration<double> length = now - last_;
  last_ = now;
  return {Use::sample, length.count()};
}

double Beats::sampled_seconds() const {
  return std::chrono::duration<double>(sampled_ * interval_).count();
}

double Beats::missed_seconds() const {
  return std::chrono::duration<double>(missed_ * interval_).count();
}

}  // namespace collectors::signals
