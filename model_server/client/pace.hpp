#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace model_client {

/// When to ask next. The rate is kept on average, but a server that was slow or away does not get
/// afterwards what it missed; and one that does not answer is asked more and more seldom.
class Pace {
 public:
  using Clock = std::chrono::steady_clock;

  /// `now` is when the first request is due; `seed` is of the spread of the pauses.
  Pace(std::chrono::nanoseconds interval, Clock::time_point now, std::uint64_t seed);

  [[nodiscard]] Clock::time_point due() const { return due_; }

  /// The server answered at `now`.
  void succeeded(Clock::time_point now);

  /// It did not, or is overloaded. The pause doubles with each failure, from one second to a
  /// minute, and is made shorter by up to a quarter at random, so that clients that lost the same
  /// server do not come back in step; it is never shorter than the interval.
  void failed(Clock::time_point now);

  /// Since the last answer.
  [[nodiscard]] unsigned failures() const { return failures_; }

 private:
  std::chrono::nanoseconds interval_;
  Clock::time_point due_;
  std::mt19937_64 random_;
  unsigned failures_ = 0;
};

}  // namespace model_client
