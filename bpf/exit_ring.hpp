#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bpf/mapping.hpp"
#include "bpf/process_records.h"
#include "metrics/result.hpp"

namespace bpf {

/// Reads a BPF ring buffer of ExitRecords. libbpf's own reader maps the ring twice in a row, so
/// that no record is cut at its end, which costs its size again in resident memory; this one copies
/// a cut record in two pieces. Not thread-safe.
class ExitRing {
 public:
  /// `size_bytes`: the map's max_entries. Fails with `io`.
  static metrics::Result<ExitRing> open(int map, std::size_t size_bytes);

  /// Takes the records that were complete when it began, oldest first, and appends them.
  void drain(std::vector<ExitRecord>& records);

 private:
  ExitRing(Mapping consumer, Mapping producer, std::size_t size_bytes);
  void copy(std::uint64_t position, void* to, std::size_t bytes) const;

  Mapping consumer_;  // One page: how far we have read.
  Mapping producer_;  // One page: how far the kernel has written; then the ring itself.
  std::size_t size_bytes_;
};

}  // namespace bpf
