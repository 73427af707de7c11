#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "collectors/process/group_key.hpp"
#include "metrics/sink.hpp"

namespace collectors {

/// The labels of a group's series: its name, those chosen for groups, and those of a part of it.
/// What of() gives lives until the next call. A page asks for thousands: nothing is allocated.
class GroupLabelSet {
 public:
  /// `names`, of GroupKey::label_values, must outlive it.
  explicit GroupLabelSet(const std::vector<std::string_view>& names) : names_(names) {}

  /// A part without a name is left out.
  metrics::Labels of(const GroupKey& key, std::initializer_list<metrics::Label> parts = {}) {
    std::size_t count = 0;
    labels_[count++] = {"groupname", key.name};
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (!key.label_values[i].empty()) labels_.at(count++) = {names_[i], key.label_values[i]};
    }
    for (const auto& part : parts) {
      if (!part.name.empty()) labels_.at(count++) = part;
    }
    return {labels_.data(), count};
  }

 private:
  static constexpr std::size_t kMostLabels = 10;  // the name, GroupLabels::names(), and three

  const std::vector<std::string_view>& names_;
  std::array<metrics::Label, kMostLabels> labels_;
};

}  // namespace collectors
