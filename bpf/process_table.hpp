#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bpf/mapping.hpp"
#include "bpf/process_records.h"
#include "bpf/process_watch.hpp"
#include "metrics/result.hpp"

namespace bpf {

/// Runs the program that writes a record of each process into a table. Not thread-safe.
class ProcessTable {
 public:
  struct Descriptors {
    int counters_program;
    int complete_program;
    int map;
  };

  /// The descriptors must outlive this object.
  ProcessTable(const Descriptors& descriptors, std::uint32_t capacity, std::size_t max_processes)
      : descriptors_(descriptors), capacity_(capacity), max_processes_(max_processes) {}

  /// See ProcessWatch::walk().
  metrics::Result<std::span<const ProcessRecord>> walk(Detail detail);
  [[nodiscard]] std::size_t left_out() const { return left_out_; }

 private:
  metrics::Result<std::uint32_t> run(Detail detail, std::uint32_t parts, std::uint32_t part);
  metrics::Result<std::span<const ProcessRecord>> table(std::uint32_t count);
  metrics::Result<bool> gather(Detail detail, std::uint32_t parts);

  Descriptors descriptors_;
  std::uint32_t capacity_;
  std::size_t max_processes_;
  std::uint32_t kept_walks_ = 0;  // In a row, which kept what did not change.
  bool is_in_order_ = false;      // The table has the records of the last walk, all of them.
  Mapping mapping_;               // Of the table's beginning: as much of it as was ever needed.
  std::vector<ProcessRecord> gathered_;
  std::size_t left_out_ = 0;
};

}  // namespace bpf
