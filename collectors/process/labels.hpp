// Labels of their own for groups, instead of a name that packs all of it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/process/facts.hpp"
#include "metrics/result.hpp"

namespace collectors {

/// Which facts stand beside a group's name: user, cgroup, unit, pod, container, slurm_job. Names
/// and meanings are those of CgroupPlace; user is user_text(). Immutable.
class GroupLabels {
 public:
  /// Longer values are cut; the path of a cgroup, which has all others within, later.
  static constexpr std::size_t kMaxValueBytes = 256;
  static constexpr std::size_t kMaxCgroupBytes = 1024;

  /// None: the key is the name alone.
  GroupLabels() = default;
  /// Parses names with ',' between them; "" is none. Fails with `malformed` and what is allowed
  /// when one is unknown, empty or there twice.
  static metrics::Result<GroupLabels> parse(std::string_view list);

  /// The names in the order given; they live as long as the program.
  [[nodiscard]] const std::vector<std::string_view>& names() const { return names_; }
  /// A value for each of names(): repaired UTF-8, "" where the process has none or it is not known,
  /// which to Prometheus is a label that is not there.
  [[nodiscard]] std::vector<std::string> values(const ProcessFacts& facts) const;
  [[nodiscard]] NeededFacts needs() const;

 private:
  std::vector<std::string_view> names_;
};

}  // namespace collectors
