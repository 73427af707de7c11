// How numbers are spelled in the exposition formats. No locale changes it.
#pragma once

#include <cstddef>

namespace metrics {

/// The room that each function here needs from `out` on; it may use more of it than its result.
inline constexpr std::size_t kMaxNumberBytes = 32;

/// Writes a sample's value with the fewest digits that read back as the same double, and returns
/// the end of what was written. Integers below 2^53 and numbers below 10^9 of at most six decimals
/// have no exponent.
char* write_number(char* out, double value);

/// Writes a bucket's bound as Prometheus 3 and OpenMetrics write a canonical float: "0.0001",
/// "1.0", "1e+06". Two spellings of a bound would be two series.
char* write_bound(char* out, double bound);

}  // namespace metrics
