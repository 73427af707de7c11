#include "model_server/client/inputs.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <stdexcept>

using model_client::Inputs;
using Input = std::vector<double>;

TEST_CASE("random inputs are spread evenly over -1..1") {
  Inputs inputs(6, std::uint64_t{7});
  Input all;
  for (int i = 0; i < 2000; ++i) {
    const auto input = inputs.next();
    REQUIRE(input.size() == 6);
    all.insert(all.end(), input.begin(), input.end());
  }
  CHECK(*std::min_element(all.begin(), all.end()) >= -1);
  CHECK(*std::max_element(all.begin(), all.end()) < 1);
  double sum = 0;
  double squared_sum = 0;
  for (const double value : all) {
    sum += value;
    squared_sum += value * value;
  }
  const auto count = static_cast<double>(all.size());
  CHECK(std::abs(sum / count) < 0.02);
  CHECK(std::abs(squared_sum / count - 1.0 / 3) < 0.02);
}

TEST_CASE("the same seed gives the same random inputs, another gives others") {
  Inputs inputs(6, std::uint64_t{1});
  Inputs same(6, std::uint64_t{1});
  Inputs other(6, std::uint64_t{2});
  const auto first = inputs.next();
  CHECK(first == same.next());
  CHECK(first != other.next());
  CHECK(first != inputs.next());
}

TEST_CASE("a series is asked about value by value, and anew behind its end") {
  Inputs inputs(3, Input{1, 2, 3, 4});
  CHECK(inputs.next() == Input{1, 2, 3});
  CHECK(inputs.next() == Input{2, 3, 4});
  CHECK(inputs.next() == Input{1, 2, 3});
}

TEST_CASE("a series as long as an input is that input, a shorter one is refused") {
  Inputs inputs(3, Input{1, 2, 3});
  CHECK(inputs.next() == Input{1, 2, 3});
  CHECK(inputs.next() == Input{1, 2, 3});
  CHECK_THROWS_AS(Inputs(3, Input{1, 2}), std::invalid_argument);
  CHECK_THROWS_AS(Inputs(3, Input{}), std::invalid_argument);
}
