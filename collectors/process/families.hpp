// The families of process groups: process-exporter's, and ours.
#pragma once

#include <string_view>
#include <vector>

#include "collectors/process/group_table.hpp"
#include "metrics/family_list.hpp"
#include "metrics/sink.hpp"

namespace collectors {

struct GroupFamiliesInput {
  const GroupTable& groups;
  const std::vector<std::string_view>& label_names;  ///< Of GroupKey::label_values.
  double ticks_per_second;
  double boot_time_seconds;
  Clock::time_point now;
  bool tells_exits;      ///< Whether exits are told with their reasons.
  bool tells_oom_kills;  ///< Whether ExitReason::oom is one of these.
};

/// Writes all families of the groups, each with every group in the order of their keys.
void emit_groups(metrics::Sink& sink, const GroupFamiliesInput& input);
/// Those families; the labels chosen for groups are not named.
void list_groups(metrics::FamilyList& list);

}  // namespace collectors
