#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "metrics/result.hpp"

namespace procfs {

/// One file of /proc/pressure (since Linux 4.20), see Documentation/accounting/psi.rst: for how
/// long since boot tasks could not go on because the resource was short. The averages beside the
/// totals are left to whoever reads the totals.
struct Pressure {
  std::optional<std::uint64_t> some_microseconds;  ///< At least one task; not in `irq`.
  std::optional<std::uint64_t> full_microseconds;  ///< All at once; in `cpu` since Linux 5.13.
};

/// Parses the whole text; lines other than `some` and `full` are passed over. Fails with
/// `malformed` when there is neither, or when one does not end in `total=` and a number.
metrics::Result<Pressure> parse_pressure(std::string_view text);

}  // namespace procfs
