#include "model_server/client/pace.hpp"

#include <algorithm>

namespace model_client {
namespace {

constexpr std::chrono::seconds kFirstPause{1};
constexpr std::chrono::seconds kLongestPause{60};
constexpr unsigned kMostDoublings = 6;  // past the longest pause
constexpr double kMostShortening = 0.25;

}  // namespace

Pace::Pace(std::chrono::nanoseconds interval, Clock::time_point now, std::uint64_t seed)
    : interval_(interval), due_(now), random_(seed) {}

void Pace::succeeded(Clock::time_point now) {
  failures_ = 0;
  due_ = std::max(due_ + interval_, now);
}

void Pace::failed(Clock::time_point now) {
  const auto doublings = std::min(failures_, kMostDoublings);
  ++failures_;
  const std::chrono::nanoseconds whole = std::min(kFirstPause * (1U << doublings), kLongestPause);
  std::uniform_real_distribution<double> shortening(1 - kMostShortening, 1);
  const std::chrono::nanoseconds pause(
      static_cast<std::int64_t>(static_cast<double>(whole.count()) * shortening(random_)));
  due_ = now + std::max(interval_, pause);
}

}  // namespace model_client
