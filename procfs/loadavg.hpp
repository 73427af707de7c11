#pragma once

#include <string_view>

#include "metrics/result.hpp"

namespace procfs {

/// /proc/loadavg, see proc(5): tasks that run, wait for a CPU or sleep uninterruptibly, averaged
/// with exponentially fading weight.
struct LoadAvg {
  double one_minute = 0;
  double five_minutes = 0;
  double fifteen_minutes = 0;
};

/// Parses the whole text; the task counts and the last process id behind the averages are passed
/// over. Fails with `malformed` when one of the three is missing, negative or not finite.
metrics::Result<LoadAvg> parse_loadavg(std::string_view text);

}  // namespace procfs
