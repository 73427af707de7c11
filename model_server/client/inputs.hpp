#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace model_client {

/// What is asked, one input after the other: either random values, evenly spread over -1..1, or a
/// series, of which each input is the one before moved on by one value. Behind its last value the
/// series begins anew.
class Inputs {
 public:
  /// Random inputs of `size` values; the same seed gives the same ones.
  Inputs(std::size_t size, std::uint64_t seed) : size_(size), random_(seed) {}

  /// Inputs of `size` values from a series that has at least as many.
  /// Throws std::invalid_argument when it has not.
  Inputs(std::size_t size, std::vector<double> series);

  std::vector<double> next();

 private:
  std::size_t size_;
  std::mt19937_64 random_;
  std::vector<double> series_;
  std::size_t place_ = 0;  // in the series, of the next input's first value
};

}  // namespace model_client
