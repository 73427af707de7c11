#include "collectors/process/labels.hpp"

#include <algorithm>
#include <array>

#include "collectors/process/bounded_text.hpp"
#include "collectors/process/cgroup_place.hpp"

namespace collectors {
namespace {

struct LabelRow {
  std::string_view name;
  std::string CgroupPlace::*value;  // nullptr for the user
  std::size_t max_bytes = GroupLabels::kMaxValueBytes;
};

constexpr std::array<LabelRow, 6> kLabelRows = {{
    {"user", nullptr},
    {"cgroup", &CgroupPlace::cgroup, GroupLabels::kMaxCgroupBytes},
    {"unit", &CgroupPlace::unit},
    {"pod", &CgroupPlace::pod},
    {"container", &CgroupPlace::container},
    {"slurm_job", &CgroupPlace::slurm_job},
}};

const LabelRow* row_of(std::string_view name) {
  const auto* const found = std::ranges::find(kLabelRows, name, &LabelRow::name);
  return found == kLabelRows.end() ? nullptr : found;
}

metrics::Error refused(std::string_view name, std::string_view what) {
  std::string allowed;
  for (const auto& row : kLabelRows) allowed.append(allowed.empty() ? "" : ", ").append(row.name);
  return {metrics::Errc::malformed, "'" + bounded_text(name, 40) + "' " + std::string(what) +
                                        "; allowed are " + allowed + ", each once"};
}

}  // namespace

metrics::Result<GroupLabels> GroupLabels::parse(std::string_view list) {
  GroupLabels labels;
  while (!list.empty()) {
    const auto comma = list.find(',');
    const auto name = list.substr(0, comma);
    const auto* const row = row_of(name);
    if (row == nullptr) return refused(name, "is no label");
    if (std::ranges::find(labels.names_, name) != labels.names_.end()) {
      return refused(name, "is there twice");
    }
    labels.names_.push_back(row->name);
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
    if (list.empty()) return refused("", "is no label");
  }
  return labels;
}

std::vector<std::string> GroupLabels::values(const ProcessFacts& facts) const {
  CgroupPlace place;
  if (needs().cgroups && facts.cgroups) place = place_of(*facts.cgroups);
  std::vector<std::string> values;
  values.reserve(names_.size());
  for (const auto name : names_) {
    const auto& row = *row_of(name);
    const auto value = row.value == nullptr ? user_text(facts) : place.*row.value;
    values.push_back(bounded_text(value, row.max_bytes));
  }
  return values;
}

NeededFacts GroupLabels::needs() const {
  NeededFacts needs;
  for (const auto name : names_) {
    if (row_of(name)->value == nullptr) {
      needs.user = true;
    } else {
      needs.cgroups = true;
    }
  }
  return needs;
}

}  // namespace collectors
