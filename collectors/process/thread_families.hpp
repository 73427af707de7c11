// process-exporter's families of threads.
#pragma once

#include "collectors/process/families.hpp"
#include "metrics/sink.hpp"

namespace collectors {

/// Each with every name of threads in every group.
void emit_threads(metrics::Sink& sink, const GroupFamiliesInput& input);

}  // namespace collectors
