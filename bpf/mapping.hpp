#pragma once

#include <cstddef>

#include "metrics/result.hpp"

namespace bpf {

/// Memory that is shared with the kernel: a part of a BPF map. Not thread-safe.
class Mapping {
 public:
  enum class Access : bool { read, read_write };

  /// Fails with `io`. `offset_bytes` is a multiple of the page size.
  static metrics::Result<Mapping> make(int map, std::size_t offset_bytes, std::size_t size_bytes,
                                       Access access);

  Mapping() = default;
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  [[nodiscard]] void* data() const { return data_; }
  [[nodiscard]] std::size_t size_bytes() const { return size_bytes_; }

 private:
  void* data_ = nullptr;
  std::size_t size_bytes_ = 0;
};

std::size_t page_bytes();

}  // namespace bpf
