// process-exporter's families of threads.
#pragma once

#include <string_view>

#include "collectors/process/families.hpp"
#include "metrics/family_list.hpp"
#include "metrics/sink.hpp"

namespace collectors {

/// A condition of metrics::ListedFamily.
inline constexpr std::string_view kWithThreads = "with --collector.process.threads=true";

/// Each with every name of threads in every group.
void emit_threads(metrics::Sink& sink, const GroupFamiliesInput& input);
/// Those families.
void list_threads(metrics::FamilyList& list);

}  // namespace collectors
