// How often samples are taken, and of how many processes, so that a budget is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "procfs/snapshot.hpp"

namespace collectors {

using procfs::Clock;

/// CPU time that walks may use, as a share of a core. It is saved up, for ten seconds at most; what
/// a walk costs is taken off, and where that was more than there was, the next walk waits longer.
/// So over time the budget is kept, whatever a walk costs. Pure; not thread-safe.
class SamplingPace {
 public:
  static constexpr double kSavedSeconds = 10;

  explicit SamplingPace(double budget_cores) : budget_cores_(budget_cores) {}

  /// Whether there is enough for a walk with so many readings, or as much as can be saved.
  [[nodiscard]] bool is_due(Clock::time_point now, std::size_t readings) const;
  /// How many readings there is enough for. At least one.
  [[nodiscard]] std::size_t affordable(Clock::time_point now) const;

  /// Of a walk: what it cost in all, and what of it the readings did.
  struct Cost {
    double seconds = 0;
    double reading_seconds = 0;
    std::size_t readings = 0;
  };
  void spend(Clock::time_point now, const Cost& cost);
  /// Of what is no walk, and yet belongs to sampling.
  void charge(Clock::time_point now, double seconds);

 private:
  [[nodiscard]] double saved_seconds(Clock::time_point now) const;

  double budget_cores_;
  double seconds_ = 0;  // saved at that time
  std::optional<Clock::time_point> at_;
  double seconds_per_reading_ = 20e-6;  // until it is known
  double seconds_per_list_ = 0;
};

/// When a process is read next. One that stays idle is read after 1, 2, 4, and up to kLongest
/// walks; one that is not, in every walk.
class ReadingPeriod {
 public:
  static constexpr std::uint32_t kLongest = 32;

  [[nodiscard]] bool is_due(std::uint64_t walk) const { return walk >= due_at_; }
  void was_read(std::uint64_t walk, bool is_idle);

 private:
  std::uint32_t walks_ = 1;
  std::uint64_t due_at_ = 0;
};

}  // namespace collectors
