// The forms in which a signal is handed on, whatever it measures.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/collector.hpp"
#include "metrics/cumulative_histogram.hpp"
#include "metrics/sliding_extreme.hpp"

namespace collectors::signals {

enum class Form : std::uint8_t {
  histogram_and_peak,
  peak,
  lowest,
};

/// No histogram of a signal has more, +Inf included.
inline constexpr std::size_t kMaxBuckets = 16;

/// What is remembered of one signal of one device, or of the host. Not thread-safe.
class Record {
 public:
  /// `edges` must outlive it. `window`: for how long an extreme is seen at least.
  Record(Form form, std::span<const double> edges, std::chrono::nanoseconds window);

  void add(Clock::time_point time, double value);

  /// Finds out what there is to show. `wall_seconds` is the wall clock at `now`: times are kept on
  /// the clock that nobody sets, and converted only here.
  void settle(Clock::time_point now, double wall_seconds);

  struct Extreme {
    double value;
    double wall_seconds;  ///< To a tenth.
  };
  /// As of the last settle(); nothing when there was no sample within the window.
  [[nodiscard]] const std::optional<Extreme>& extreme() const { return shown_; }
  /// Nothing for a form without one.
  [[nodiscard]] const std::optional<metrics::CumulativeHistogram>& histogram() const {
    return histogram_;
  }

 private:
  std::optional<metrics::CumulativeHistogram> histogram_;
  metrics::SlidingExtreme extreme_;
  std::optional<Extreme> shown_;
};

/// Names and HELP of a signal's families, made once.
class FamilyTexts {
 public:
  FamilyTexts(std::string_view name, std::string_view help, Form form);

  [[nodiscard]] metrics::Family histogram() const {
    return {name_, help_, metrics::Kind::histogram};
  }
  [[nodiscard]] metrics::Family extreme() const { return {extreme_name_, extreme_help_}; }
  [[nodiscard]] metrics::Family timestamp() const { return {timestamp_name_, timestamp_help_}; }

  /// What emit_signal() may write.
  void list(metrics::FamilyList& list, std::string_view labels) const {
    if (form_ == Form::histogram_and_peak) list.add({histogram()}, labels);
    list.add({extreme(), timestamp()}, labels);
  }

 private:
  Form form_;
  std::string name_, help_, extreme_name_, extreme_help_, timestamp_name_, timestamp_help_;
};

/// Writes all families of a signal. `for_each_series` calls what it is given with the labels and
/// the Record of each series. A family without samples is left out.
template <class ForEachSeries>
void emit_signal(metrics::Sink& sink, const FamilyTexts& texts, ForEachSeries for_each_series) {
  std::array<metrics::Bucket, kMaxBuckets> room{};
  bool is_announced = false;
  for_each_series([&](metrics::Labels labels, const Record& record) {
    if (!record.histogram()) return;
    if (!std::exchange(is_announced, true)) sink.family(texts.histogram());
    sink.histogram(labels, record.histogram()->reading(room));
  });
  const auto emit_gauge = [&](const metrics::Family& family, double Record::Extreme::*value) {
    bool is_gauge_announced = false;
    for_each_series([&](metrics::Labels labels, const Record& record) {
      if (!record.extreme()) return;
      if (!std::exchange(is_gauge_announced, true)) sink.family(family);
      sink.sample(labels, *record.extreme().*value);
    });
  };
  emit_gauge(texts.extreme(), &Record::Extreme::value);
  emit_gauge(texts.timestamp(), &Record::Extreme::wall_seconds);
}

}  // namespace collectors::signals
