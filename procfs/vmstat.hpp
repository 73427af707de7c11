#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "metrics/result.hpp"

namespace procfs {

/// What /proc/vmstat, see proc(5), says of paging, swapping and the OOM killer: the fields called
/// pg*, psw* and oom_kill*. Which there are depends on the kernel, and what a field counts does
/// too: pages for most, events for some, KiB for `pgpgin` and `pgpgout`.
struct VmStat {
  struct Field {
    std::string_view name;  ///< A view into the text; not empty.
    std::uint64_t value = 0;
  };
  std::vector<Field> fields;  ///< In file order.

  /// The value of the field called `name`.
  [[nodiscard]] std::optional<std::uint64_t> find(std::string_view name) const;
};

/// Parses the whole text, which must outlive the result. Fails with `malformed` when a line of
/// the above is not `name number`, or when there is none; other lines are passed over.
metrics::Result<VmStat> parse_vmstat(std::string_view text);

}  // namespace procfs
