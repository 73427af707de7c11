// From what the kernel says of a process to its group.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "collectors/collector.hpp"
#include "collectors/process/command_line_reader.hpp"
#include "collectors/process/descent.hpp"
#include "collectors/process/labels.hpp"
#include "collectors/process/ledger.hpp"
#include "collectors/process/namer.hpp"
#include "collectors/process/user_names.hpp"
#include "procfs/process_reader.hpp"

namespace collectors {

inline constexpr Setting kNamingConfig = {
    "config", "groups by rules: a configuration file of process-exporter; else one per name", ""};
inline constexpr Setting kNamingLabels = {
    "labels", "labels of groups: any of user,cgroup,unit,pod,container,slurm_job", ""};

/// Reads what the rules and labels need of a new process, and nothing else: by default no file.
/// Command lines are read by a thread of its own, as the kernel lets a process hold up whoever
/// reads its: until the answer is there, the process has no group yet. Not thread-safe.
class ProcessNaming final : public GroupResolver {
 public:
  /// Throws std::invalid_argument when a setting or the file it names is not what it must be.
  explicit ProcessNaming(const Host& host);

  Answer resolve(const ProcessBasics& process, bool has_ended, GroupKey& key) override;
  void forget(const ProcessIdentity& identity) override;

  /// Of GroupKey::label_values.
  [[nodiscard]] const std::vector<std::string_view>& label_names() const { return labels_.names(); }

 private:
  struct Named {
    ProcessIdentity identity;
    Ancestor ancestor;
  };

  /// False when the command line is not there yet.
  bool gather(const ProcessBasics& process, bool has_ended, ProcessFacts& facts);
  std::optional<std::string> name_or_inherited(const ProcessBasics& process, bool has_ended,
                                               std::optional<std::string> name);
  void add_cgroups(const ProcessBasics& process, bool has_ended, ProcessFacts& facts);

  GroupNamer namer_;
  GroupLabels labels_;
  NeededFacts needs_;
  bool is_inherited_ = false;  // by children: where there are rules
  double ticks_per_second_;
  procfs::ProcessReader reader_;
  UserNames users_;
  std::unique_ptr<CommandLineReader> command_lines_;
  std::unordered_map<std::int32_t, Named> named_;  // for their children
  std::unordered_map<std::uint64_t, std::vector<procfs::ProcessCgroup>> cgroups_;  // by id
};

}  // namespace collectors
