#pragma once

#include <string>
#include <string_view>

#include "exporter/pass.hpp"

namespace exporter {

/// The HTML page at /: what this is, where the metrics are, and how each collector did last.
std::string landing_page(std::string_view telemetry_path, const CollectorNames& names,
                         const Reports& reports);

}  // namespace exporter
