#include "model_server/input_ring.hpp"

#include <catch2/catch.hpp>
#include <vector>

using model_server::InputRing;

TEST_CASE("an empty ring has no variance, which is not 0") {
  CHECK_FALSE(InputRing().variance());
  CHECK(InputRing().size() == 0);
}

TEST_CASE("the variance is the population's, of the values that are there") {
  InputRing ring;
  ring.push(std::vector<double>{1, 2});
  CHECK(*ring.variance() == Approx(0.25));
  ring.push(std::vector<double>{3, 4});
  CHECK(*ring.variance() == Approx(1.25));
  CHECK(ring.size() == 2);
}

TEST_CASE("the oldest input leaves, one for each that comes") {
  InputRing ring;
  ring.push(std::vector<double>{1e6});
  for (std::size_t i = 1; i < InputRing::kCapacity; ++i) ring.push(std::vector<double>{7});
  CHECK(ring.size() == InputRing::kCapacity);
  CHECK(*ring.variance() > 1e9);
  ring.push(std::vector<double>{7});  // where the first server kept one input twice
  CHECK(ring.size() == InputRing::kCapacity);
  CHECK(*ring.variance() == 0);
  ring.push(std::vector<double>{57});
  CHECK(*ring.variance() == Approx(49.0));
}

TEST_CASE("small differences of large values are not lost") {
  InputRing ring;
  ring.push(std::vector<double>{1e9 + 1, 1e9 - 1});
  CHECK(*ring.variance() == Approx(1.0));
}
