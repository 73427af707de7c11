#pragma once

#include <compare>
#include <string>
#include <vector>

namespace collectors {

/// What makes a group: processes with the same key are in the same.
struct GroupKey {
  std::string name;                       ///< Valid UTF-8.
  std::vector<std::string> label_values;  ///< One for each of GroupLabels::names().

  auto operator<=>(const GroupKey&) const = default;  // NOLINT(modernize-use-nullptr)
};

}  // namespace collectors
