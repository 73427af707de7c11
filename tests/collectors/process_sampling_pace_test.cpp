#include <catch2/catch.hpp>
#include <numeric>
#include <vector>

#include "collectors/process/sampling_pace.hpp"
#include "tests/support/fixture_host.hpp"

using collectors::ReadingPeriod;
using collectors::SamplingPace;
using tests::at_second;

namespace {

/// A host whose listing and readings cost so much, walked at each second that is due.
struct FakeHost {
  double seconds_per_process_listed = 0.3e-6;
  double seconds_per_reading = 13e-6;
  std::size_t processes = 1000;
  std::size_t busy = 0;  // the first of them

  struct Outcome {
    double cost_seconds = 0;
    int walks = 0;
    std::vector<int> readings;  // of each process
  };
  [[nodiscard]] Outcome run(double budget_cores, int seconds) const {
    SamplingPace pace(budget_cores);
    std::vector<ReadingPeriod> periods(processes);
    Outcome outcome;
    outcome.readings.resize(processes);
    std::uint64_t walk = 0;
    for (int second = 0; second < seconds; ++second) {
      const auto now = at_second(second);
      const auto due = std::ranges::count_if(
          periods, [&](const ReadingPeriod& period) { return period.is_due(walk + 1); });
      if (!pace.is_due(now, static_cast<std::size_t>(due))) continue;
      ++walk;
      std::size_t read = 0;
      const auto affordable = pace.affordable(now);
      for (std::size_t i = 0; i < processes && read < affordable; ++i) {
        if (!periods[i].is_due(walk)) continue;
        ++read;
        ++outcome.readings[i];
        periods[i].was_read(walk, i >= busy);
      }
      const auto reading = seconds_per_reading * static_cast<double>(read);
      const auto cost = seconds_per_process_listed * static_cast<double>(processes) + reading;
      pace.spend(now, {cost, reading, read});
      outcome.cost_seconds += cost;
    }
    outcome.walks = static_cast<int>(walk);
    return outcome;
  }
};

constexpr int kHour = 3600;
constexpr double kBudget = 0.005;
constexpr double kAllowed = kBudget * (kHour + SamplingPace::kSavedSeconds);

}  // namespace

TEST_CASE("a thousand idle processes are sampled each second, far below the budget") {
  const auto outcome = FakeHost{}.run(kBudget, kHour);
  CHECK(outcome.walks > kHour - 20);
  CHECK(outcome.cost_seconds < kAllowed / 2);
  // Once each 32 walks, and a few times at first.
  CHECK(*std::ranges::max_element(outcome.readings) <= kHour / 32 + 6);
  CHECK(*std::ranges::min_element(outcome.readings) >= kHour / 32 - 6);
}

TEST_CASE("whatever it costs, the budget is kept and used") {
  const auto [what, host] = GENERATE(table<const char*, FakeHost>({
      {"all are busy", {.busy = 1000}},
      {"ten thousand, a tenth of them busy",
       {.seconds_per_process_listed = 1e-6, .processes = 10'000, .busy = 1000}},
      {"the list alone costs more than can be saved",
       {.seconds_per_process_listed = 100e-6, .processes = 1000}},
      {"a reading costs more than can be saved", {.seconds_per_reading = 0.2, .processes = 10}},
  }));
  INFO(what);
  const auto outcome = host.run(kBudget, kHour);
  const auto walk_seconds = outcome.cost_seconds / outcome.walks;
  CHECK(outcome.cost_seconds <= kAllowed + walk_seconds);
  CHECK(outcome.cost_seconds >= kBudget * kHour * 0.8);
}

TEST_CASE("a busy process is read more often than an idle one") {
  const auto outcome = FakeHost{.busy = 10}.run(kBudget, kHour);
  CHECK(outcome.readings.front() > kHour - 20);
  CHECK(outcome.readings.back() < kHour / 30);
}

TEST_CASE("a walk that cost too much is waited for until it is paid") {
  SamplingPace pace(0.01);
  CHECK(pace.is_due(at_second(0), 0));
  pace.spend(at_second(0), {.seconds = 0.5, .reading_seconds = 0.5, .readings = 1000});
  CHECK_FALSE(pace.is_due(at_second(39), 0));
  CHECK(pace.is_due(at_second(40), 0));
  CHECK_FALSE(pace.is_due(at_second(40), 10));
  CHECK(pace.is_due(at_second(51), 1000));
}

TEST_CASE("no more is saved than for ten seconds") {
  SamplingPace pace(0.01);
  pace.spend(at_second(0), {});
  const auto later = pace.affordable(at_second(10));
  CHECK(later == 5000);  // of 20 us each, before one was measured
  CHECK(pace.affordable(at_second(10'000)) == later);
}

TEST_CASE("what a reading costs is learnt from those before") {
  SamplingPace pace(0.01);
  for (int walk = 0; walk < 100; ++walk) {
    pace.spend(at_second(walk), {.seconds = 0.003, .reading_seconds = 0.001, .readings = 100});
  }
  CHECK(pace.affordable(at_second(1000)) == Approx((0.1 - 0.002) / 10e-6).epsilon(0.01));
}

TEST_CASE("a reading is always affordable") {
  SamplingPace pace(0.01);
  pace.spend(at_second(0), {.seconds = 100});
  CHECK(pace.affordable(at_second(1)) == 1);
}

TEST_CASE("the period of a process doubles while it is idle, and begins anew") {
  ReadingPeriod period;
  std::vector<std::uint64_t> read_at;
  for (std::uint64_t walk = 1; walk <= 135; ++walk) {
    if (!period.is_due(walk)) continue;
    read_at.push_back(walk);
    period.was_read(walk, walk < 100);
  }
  CHECK(read_at == std::vector<std::uint64_t>{1, 3, 7, 15, 31, 63, 95, 127, 128, 129, 130, 131, 132,
                                              133, 134, 135});
}

TEST_CASE("what is no walk is taken off the budget, too") {
  const auto walks = [](double charged_seconds) {
    SamplingPace pace(kBudget);
    int count = 0;
    for (int second = 0; second < kHour; ++second) {
      pace.charge(at_second(second), charged_seconds);
      if (!pace.is_due(at_second(second), 100)) continue;
      pace.spend(at_second(second), {2e-3, 2e-3, 100});
      ++count;
    }
    return count;
  };
  CHECK(walks(0) == kHour);
  CHECK(walks(4e-3) == Approx(kHour / 2.0).epsilon(0.02));
  CHECK(walks(6e-3) <= 25);  // what was saved at first
}
