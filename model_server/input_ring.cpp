#include "model_server/input_ring.hpp"

#include <algorithm>

namespace model_server {

void InputRing::push(std::span<const double> input) {
  inputs_[next_].assign(input.begin(), input.end());
  next_ = (next_ + 1) % kCapacity;
  size_ = std::min(size_ + 1, kCapacity);
}

std::optional<double> InputRing::variance() const {
  // In two passes: the mean of squares less the square of the mean loses all digits when the
  // values are large beside their differences.
  double sum = 0;
  double count = 0;
  for (const auto& input : inputs_) {
    for (const double value : input) sum += value;
    count += static_cast<double>(input.size());
  }
  if (count == 0) return std::nullopt;
  const double mean = sum / count;
  double squares = 0;
  for (const auto& input : inputs_) {
    for (const double value : input) squares += (value - mean) * (value - mean);
  }
  return squares / count;
}

}  // namespace model_server
