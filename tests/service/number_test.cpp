#include "service/number.hpp"

#include <catch2/catch.hpp>

using service::shortest;
using service::to_finite;

TEST_CASE("a finite number is read from the whole of a text") {
  CHECK(to_finite("0.25") == 0.25);
  CHECK(to_finite("-1e-3") == -0.001);
  const auto* text =
      GENERATE("", " 1", "1 ", "1x", "x", "nan", "inf", "-inf", "1e999", "+1", "1,5");
  INFO(text);
  CHECK_FALSE(to_finite(text));
}

TEST_CASE("a number is written with the fewest digits that read back as the same") {
  CHECK(shortest(0.1) == "0.1");
  CHECK(shortest(0.1 + 0.2) == "0.30000000000000004");
  CHECK(shortest(0.1F) == "0.1");
  CHECK(shortest(-2.0) == "-2");
  CHECK(shortest(1e22) == "1e+22");
}
