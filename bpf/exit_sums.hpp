#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "bpf/process_records.h"
#include "metrics/result.hpp"

namespace bpf {

/// Empties the sums of exits that found the ring full, each exactly once while programs on other
/// CPUs add to them: they add to one of two sets, and the other is emptied. Not thread-safe.
class ExitSumsReader {
 public:
  /// Of the programs; all must outlive this object.
  struct Maps {
    std::array<int, 2> sets;
    volatile __u32* active;    ///< The set that programs enter.
    volatile __u64* inside;    ///< Per set: programs that may add to it right now.
    volatile __u32* used;      ///< Per set: not 0 when something was added.
    const ExitSums* nameless;  ///< Only grow.
  };

  ExitSumsReader(const Maps& maps, std::uint32_t keys) : maps_(maps), keys_(keys) {}

  /// Replaces what is in `summed` and `nameless`, see ProcessWatch::drain_exits().
  metrics::Result<void> drain(std::vector<std::pair<ExitKey, ExitSums>>& summed,
                              ExitSums& nameless);

 private:
  metrics::Result<void> empty(std::size_t set, std::vector<std::pair<ExitKey, ExitSums>>& summed);

  Maps maps_;
  std::uint32_t keys_;
  bool is_closing_ = false;  // The set that is not active may have something in it.
  ExitSums nameless_before_{};
};

}  // namespace bpf
