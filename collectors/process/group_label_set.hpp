#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "collectors/process/group_key.hpp"
#include "metrics/sink.hpp"

namespace collectors {

/// The labels of a group's series: its name, those chosen for groups, and those of a part of it.
/// What of() gives lives until the next call.
class GroupLabelSet {
 public:
  /// `names`, of GroupKey::label_values, must outlive it.
  explicit GroupLabelSet(const std::vector<std::string_view>& names) : names_(names) {}

  /// A part without a name is left out.
  metrics::Labels of(const GroupKey& key, std::initializer_list<metrics::Label> parts = {}) {
    labels_.clear();
    labels_.push_back({"groupname", key.name});
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (!key.label_values[i].empty()) labels_.push_back({names_[i], key.label_values[i]});
    }
    for (const auto& part : parts) {
      if (!part.name.empty()) labels_.push_back(part);
    }
    return labels_;
  }

 private:
  const std::vector<std::string_view>& names_;
  std::vector<metrics::Label> labels_;
};

}  // namespace collectors
