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
#include "metrics/result.hpp"
#include "procfs/file_reader.hpp"
#include "procfs/process_reader.hpp"

namespace collectors {

inline constexpr Setting kNamingConfig = {
    "config", "groups by rules: a configuration file of process-exporter; else one per name", ""};
inline constexpr Setting kNamingLabels = {
    "labels", "labels of groups: any of user,cgroup,unit,pod,container,slurm_job", ""};

/// Reads what the rules and labels need of a new process, and nothing else: by default no file.
/// Command lines are read by a thread of its own, as the kernel lets a process hold up whoever
/// reads its: until the answer is there, the process has no group yet. When it comes too late, or
/// the process ended first, its comm has to do, see GroupNamer; and when that is its parent's, too,
/// it goes where its parent is, whose copy it probably was. Not thread-safe.
class ProcessNaming final : public GroupResolver {
 public:
  /// Throws std::invalid_argument when a setting or the file it names is not what it must be.
  /// `users` must outlive it, as must what `host` refers to.
  ProcessNaming(const Host& host, UserNames& users);

  /// Whether there is a file of rules.
  [[nodiscard]] bool has_rules() const { return !config_path_.empty(); }
  /// Reads the file of rules anew: then whoever asked must ask again for every process. When it
  /// fails, as read_naming_config() does, the old rules stay in force.
  metrics::Result<void> reload();

  Answer resolve(const ProcessBasics& process, bool has_ended, GroupKey& key) override;
  void forget(const ProcessIdentity& identity) override;

  /// Of GroupKey::label_values.
  [[nodiscard]] const std::vector<std::string_view>& label_names() const { return labels_.names(); }
  /// nullptr where no rule needs command lines.
  [[nodiscard]] const CommandLineReader* command_lines() const { return command_lines_.get(); }

 private:
  struct Named {
    ProcessBasics process;  // as it was named
    Ancestor ancestor;
  };

  void gather(const ProcessBasics& process, bool has_ended, ProcessFacts& facts);
  /// False when the command line is not there yet.
  bool add_command_line(const ProcessBasics& process, bool has_ended, ProcessFacts& facts);
  /// By the rules, or inherited. False as above.
  bool find_name(const ProcessBasics& process, bool has_ended, ProcessFacts& facts,
                 std::optional<std::string>& name);
  /// How it was named since its last exec; nullptr when it was not.
  [[nodiscard]] const Ancestor* known_name(const ProcessBasics& process, bool has_ended) const;
  [[nodiscard]] std::optional<std::string> name_of_parent_alike(const ProcessBasics& process) const;
  void add_cgroups(const ProcessBasics& process, bool has_ended, ProcessFacts& facts);
  bool is_whole_place(std::uint64_t cgroup_id, const std::vector<procfs::ProcessCgroup>& cgroups);

  std::string config_path_;
  GroupNamer namer_;
  GroupLabels labels_;
  NeededFacts needs_;
  procfs::FileReader& proc_;
  procfs::FileReader& sys_;
  procfs::ProcessReader reader_;
  UserNames& users_;
  std::unique_ptr<CommandLineReader> command_lines_;
  std::unordered_map<std::int32_t, Named> named_;  // for their children and after execs
  std::unordered_map<std::uint64_t, std::vector<procfs::ProcessCgroup>> cgroups_;  // by id
};

}  // namespace collectors
