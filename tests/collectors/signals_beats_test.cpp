#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "collectors/signals/beats.hpp"

using namespace std::chrono_literals;
using collectors::signals::Beats;
using Use = Beats::Use;

namespace {

Beats::Time at(std::chrono::milliseconds time) { return Beats::Time(1h + time); }

}  // namespace

TEST_CASE("ticks become samples over their true length, and beats are sampled or missed") {
  struct Step {
    std::chrono::milliseconds time;
    Use use;
    double seconds;
    double sampled, missed;  // afterwards
  };
  using Steps = std::vector<Step>;
  const auto [what, steps] = GENERATE(table<const char*, Steps>({
      {"on the beat", {{1000ms, Use::sample, 1, 1, 0}, {2000ms, Use::sample, 1, 2, 0}}},
      {"a little late", {{1400ms, Use::sample, 1.4, 1, 0}, {2000ms, Use::sample, 0.6, 2, 0}}},
      {"too early", {{499ms, Use::merged, 0, 0, 0}, {1000ms, Use::sample, 1, 1, 0}}},
      {"early, but long enough",
       {{500ms, Use::sample, 0.5, 1, 0}, {1999ms, Use::sample, 1.499, 2, 0}}},
      {"so late that a beat is missed",
       {{1500ms, Use::sample, 1.5, 1, 1},
        {2000ms, Use::merged, 0, 1, 1},
        {3000ms, Use::sample, 1.5, 2, 1}}},
      {"later than half a beat, then on the beat",
       {{1600ms, Use::sample, 1.6, 1, 1},
        {2000ms, Use::merged, 0, 1, 1},
        {3000ms, Use::sample, 1.4, 2, 1}}},
      {"late twice: the second tick is the one before the third beat",
       {{1600ms, Use::sample, 1.6, 1, 1},
        {2200ms, Use::merged, 0, 1, 1},
        {3000ms, Use::sample, 1.4, 2, 1}}},
      {"a stall of a minute",
       {{60000ms, Use::sample, 60, 1, 59}, {61000ms, Use::sample, 1, 2, 59}}},
      {"two at once", {{1000ms, Use::sample, 1, 1, 0}, {1000ms, Use::merged, 0, 1, 0}}},
  }));
  INFO(what);
  Beats beats(1s);
  CHECK(beats.tick(at(0ms), 0ns).use == Use::base);
  for (const auto& step : steps) {
    INFO(step.time.count());
    const auto tick = beats.tick(at(step.time), 0ns);
    CHECK(tick.use == step.use);
    CHECK(tick.seconds == Approx(step.seconds));
    CHECK(beats.sampled_seconds() == step.sampled);
    CHECK(beats.missed_seconds() == step.missed);
  }
}

TEST_CASE("a host that was suspended has missed its beats, and is measured anew") {
  Beats beats(1s);
  (void)beats.tick(at(0s), 5s);
  CHECK(beats.tick(at(1s), 5s).use == Use::sample);
  CHECK(beats.tick(at(2s), 105s).use == Use::base);
  CHECK(beats.sampled_seconds() == 1);
  CHECK(beats.missed_seconds() == 101);
  CHECK(beats.tick(at(3s), 105s).use == Use::sample);
  CHECK(beats.sampled_seconds() == 2);
  CHECK(beats.missed_seconds() == 101);
}

TEST_CASE("a suspension counts though the tick after it comes early") {
  Beats beats(1s);
  (void)beats.tick(at(0s), 0s);
  CHECK(beats.tick(at(200ms), 10s).use == Use::base);
  CHECK(beats.missed_seconds() == 10);
  CHECK(beats.tick(at(1s), 10s).use == Use::sample);
  CHECK(beats.sampled_seconds() == 1);
}

TEST_CASE("half an interval of suspension is let pass, and short ones add up") {
  Beats beats(1s);
  (void)beats.tick(at(0s), 0ms);
  CHECK(beats.tick(at(1s), 500ms).use == Use::sample);
  CHECK(beats.tick(at(2s), 900ms).use == Use::base);
  CHECK(beats.missed_seconds() == 2);  // its own, and 0.9 s
}

TEST_CASE("beats sampled and missed are the time that passed, however late the ticks are") {
  const auto interval = GENERATE(std::chrono::milliseconds(1000), std::chrono::milliseconds(100));
  Beats beats(interval);
  (void)beats.tick(at(0ms), 0ns);
  unsigned random = 1;
  std::int64_t beat = 0;
  std::chrono::milliseconds now{0};
  for (int i = 0; i < 5000; ++i) {
    random = random * 1664525U + 1013904223U;
    const auto lateness = interval * ((random >> 16U) % 100) / 100;
    beat += (random >> 8U) % 20 == 0 ? 1 + (random >> 24U) % 7 : 1;
    now = beat * interval + ((random >> 12U) % 3 == 0 ? lateness : 0ms);
    (void)beats.tick(at(now), 0ns);
  }
  const std::chrono::duration<double> elapsed = now;
  const std::chrono::duration<double> beat_length = interval;
  const auto counted = beats.sampled_seconds() + beats.missed_seconds();
  CHECK(std::abs(counted - elapsed.count()) <= beat_length.count());
}

TEST_CASE("ticks that are half a beat off the first one are each one beat, jitter or not") {
  Beats beats(1s);
  (void)beats.tick(at(0ms), 0ns);
  (void)beats.tick(at(1500ms), 0ns);  // one sampled, one missed
  for (int i = 0; i < 100; ++i) {
    const auto jitter = i % 2 == 0 ? 1ms : -1ms;
    CHECK(beats.tick(at(2500ms + i * 1000ms + jitter), 0ns).use == Use::sample);
  }
  CHECK(beats.sampled_seconds() == 101);
  CHECK(beats.missed_seconds() == 1);
}

TEST_CASE("ticks that drift off lose a beat when they have fallen a whole one behind") {
  Beats beats(1s);
  for (int i = 0; i <= 50; ++i) (void)beats.tick(at(i * 1200ms), 0ns);
  CHECK(beats.sampled_seconds() == 50);
  CHECK(beats.missed_seconds() == Approx(10).margin(1));
}
