#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace model_server {

/// The inputs of the latest requests, for the gauge that the first server of this kind had. One
/// thread.
class InputRing {
 public:
  static constexpr std::size_t kCapacity = 50;

  /// The oldest input leaves when the ring is full.
  void push(std::span<const double> input);

  [[nodiscard]] std::size_t size() const { return size_; }

  /// Population variance of all values in the ring, as numpy's var gives it; nothing while there
  /// are none.
  [[nodiscard]] std::optional<double> variance() const;

 private:
  std::array<std::vector<double>, kCapacity> inputs_;
  std::size_t size_ = 0;
  std::size_t next_ = 0;
};

}  // namespace model_server
