#include "model_server/series_memory.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using model_server::SeriesMemory;
using Input = std::vector<double>;

TEST_CASE("the next input shows how far off both forecasts were") {
  SeriesMemory memory(8);
  CHECK_FALSE(memory.predicted("a", Input{1, 2, 3}, 3.5));
  const auto errors = memory.predicted("a", Input{2, 3, 5}, 6);
  REQUIRE(errors);
  CHECK(errors->model == Approx(-1.5));
  CHECK(errors->persistence == Approx(-2.0));
  const auto next = memory.predicted("a", Input{3, 5, 5}, 0);
  REQUIRE(next);
  CHECK(next->model == Approx(1.0));
  CHECK(next->persistence == 0);
}

TEST_CASE("each series is compared with itself") {
  SeriesMemory memory(8);
  CHECK_FALSE(memory.predicted("a", Input{1, 2}, 10));
  CHECK_FALSE(memory.predicted("b", Input{1, 2}, 20));
  CHECK(memory.predicted("a", Input{2, 3}, 0)->model == Approx(7));
  CHECK(memory.predicted("b", Input{2, 3}, 0)->model == Approx(17));
}

TEST_CASE("an input that does not follow on the last is compared with nothing") {
  const auto [what, input] = GENERATE(table<const char*, Input>({
      {"sent again", {1, 2, 3}},
      {"after a gap", {3, 4, 5}},
      {"of another part of the series", {9, 8, 7}},
      {"a step back", {0, 1, 2}},
  }));
  INFO(what);
  SeriesMemory memory(8);
  CHECK_FALSE(memory.predicted("a", Input{1, 2, 3}, 4));
  CHECK_FALSE(memory.predicted("a", input, 4));
  // From here on it goes as ever.
  CHECK(memory.predicted("a", Input{input[1], input[2], 5}, 4)->model == Approx(-1));
}

TEST_CASE("an input of one value follows on any") {
  SeriesMemory memory(8);
  CHECK_FALSE(memory.predicted("a", Input{1}, 2));
  CHECK(memory.predicted("a", Input{5}, 2)->persistence == Approx(-4));
}

TEST_CASE("the series that was not asked for longest is forgotten first") {
  SeriesMemory memory(2);
  (void)memory.predicted("a", Input{1}, 1);
  (void)memory.predicted("b", Input{1}, 1);
  CHECK(memory.predicted("a", Input{1}, 1));
  CHECK_FALSE(memory.predicted("c", Input{1}, 1));
  CHECK(memory.size() == 2);
  CHECK(memory.predicted("a", Input{1}, 1));
  CHECK_FALSE(memory.predicted("b", Input{1}, 1));
}

TEST_CASE("any number of series takes the memory of a few") {
  SeriesMemory memory(10);
  for (int i = 0; i < 10'000; ++i) (void)memory.predicted(std::to_string(i), Input{1}, 1);
  CHECK(memory.size() == 10);
}
