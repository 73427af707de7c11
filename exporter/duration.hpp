#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace exporter {

/// A duration in Prometheus' notation: one or more of a number and a unit (d, h, m, s, ms), each
/// unit at most once and the larger first, such as "5m", "1h30m" or "500ms". Nothing for other
/// text, for zero, and for more than a year.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace exporter
