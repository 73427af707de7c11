#pragma once

#include <prometheus/registry.h>

#include "metrics/sink.hpp"

namespace exporter {

/// Hands everything in `registry` to `sink`. prometheus-cpp keeps and counts well, but its own
/// writer escapes no HELP, repairs no UTF-8, rounds numbers and knows no OpenMetrics.
void emit_registry(const prometheus::Registry& registry, metrics::Sink& sink);

}  // namespace exporter
