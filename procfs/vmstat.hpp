#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "metrics/result.hpp"

namespace procfs {

/// /proc/vmstat, see proc(5). Which fields there are depends on the kernel, so all are kept. What
/// a field counts does too: pages for most, events for some, KiB for `pgpgin` and `pgpgout`.
struct VmStat {
  struct Field {
    std::string_view name;  ///< A view into the text; not empty.
    std::uint64_t value = 0;
  };
  std::vector<Field> fields;  ///< In file order.
};

/// Parses the whole text, which must outlive the result. Fails with `malformed` when a line is not
/// `name number`, or when there is no line.
metrics::Result<VmStat> parse_vmstat(std::string_view text);

}  // namespace procfs
