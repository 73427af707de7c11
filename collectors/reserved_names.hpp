#pragma once

#include <string_view>

namespace collectors {

/// Whether a metric of that name could be taken for one of the host's own, or of Prometheus' own
/// about the scrape: no page of others may have it, even while the collector that it belongs to is
/// off.
bool is_reserved_name(std::string_view metric);

}  // namespace collectors
