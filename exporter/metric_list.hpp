#pragma once

#include <cstdint>
#include <string>

namespace exporter {

enum class MetricListFormat : std::uint8_t { text, markdown };

/// Every family that the page of any host may have, by collector in the order of the page, with
/// what it is and when it is there. The same on every host.
std::string metric_list(MetricListFormat format);

}  // namespace exporter
