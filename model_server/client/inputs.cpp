#include "model_server/client/inputs.hpp"

#include <stdexcept>
#include <utility>

namespace model_client {

Inputs::Inputs(std::size_t size, std::vector<double> series)
    : size_(size), series_(std::move(series)) {
  if (series_.size() < size_) {
    throw std::invalid_argument("a series of " + std::to_string(series_.size()) +
                                " values has no input of " + std::to_string(size_));
  }
}

std::vector<double> Inputs::next() {
  std::vector<double> input(size_);
  if (series_.empty()) {
    std::uniform_real_distribution<double> even(-1, 1);
    for (auto& value : input) value = even(random_);
    return input;
  }
  if (place_ + size_ > series_.size()) place_ = 0;
  for (std::size_t i = 0; i < size_; ++i) input[i] = series_[place_ + i];
  ++place_;
  return input;
}

}  // namespace model_client
