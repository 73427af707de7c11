#include "collectors/process/naming.hpp"

#include <stdexcept>
#include <utility>

#include "collectors/process/naming_file.hpp"

namespace collectors {
namespace {

// Ids of cgroups are not reused soon; a host that makes more of them starts anew.
constexpr std::size_t kMaxCgroups = 4096;
// The root of the version 2 hierarchy: on a host with version 1 all processes are in it, and it
// says nothing of their place.
constexpr std::uint64_t kRootCgroup = 1;

GroupLabels labels_of(const Settings& settings) {
  auto labels = GroupLabels::parse(settings.text("process", kNamingLabels));
  if (!labels) throw std::invalid_argument("--collector.process.labels: " + labels.error().detail);
  return *std::move(labels);
}

}  // namespace

ProcessNaming::ProcessNaming(const Host& host, UserNames& users)
    : config_path_(host.settings.text("process", kNamingConfig)),
      labels_(labels_of(host.settings)),
      needs_(labels_.needs()),
      proc_(host.proc),
      sys_(host.sys),
      reader_(host.proc),
      users_(users) {
  if (!has_rules()) return;
  if (auto loaded = reload(); !loaded) throw std::invalid_argument(loaded.error().detail);
}

metrics::Result<void> ProcessNaming::reload() {
  auto config = read_naming_config(config_path_);
  if (!config) return config.error();
  GroupNamer namer(*std::move(config));
  auto needs = namer.needs();
  needs |= labels_.needs();
  if (needs.command_line && !command_lines_) {
    command_lines_ = std::make_unique<CommandLineReader>(proc_);
  }
  namer_ = std::move(namer);
  needs_ = needs;
  named_.clear();
  return {};
}

GroupResolver::Answer ProcessNaming::resolve(const ProcessBasics& process, bool has_ended,
                                             GroupKey& key) {
  ProcessFacts facts;
  facts.comm = text_of(process.comm);
  facts.is_kernel_thread = process.is_kernel_thread;
  facts.pid = process.identity.pid;
  gather(process, has_ended, facts);
  std::optional<std::string> name;
  if (!has_rules()) {
    name = namer_.name(facts);
  } else if (!find_name(process, has_ended, facts, name)) {
    return Answer::later;
  }
  if (!name) return Answer::none;
  key.name = *std::move(name);
  key.label_values = labels_.values(facts);
  return Answer::named;
}

bool ProcessNaming::find_name(const ProcessBasics& process, bool has_ended, ProcessFacts& facts,
                              std::optional<std::string>& name) {
  // The command line is gone once it has served.
  if (const auto* const known = known_name(process, has_ended)) {
    name = known->name;
  } else {
    if (!add_command_line(process, has_ended, facts)) return false;
    if (needs_.command_line && !process.is_kernel_thread && !first_argument(facts)) {
      name = name_of_parent_alike(process);
    }
    if (!name) name = namer_.name(facts);
  }
  // What no rule names stays what it was before its exec.
  const auto before = named_.find(process.identity.pid);
  if (!name && before != named_.end() && before->second.process.identity == process.identity) {
    name = before->second.ancestor.name;
  }
  if (!name) {
    name = inherited_name(process.parent_pid, [this](std::int32_t pid) -> const Ancestor* {
      const auto found = named_.find(pid);
      return found == named_.end() ? nullptr : &found->second.ancestor;
    });
  }
  if (!has_ended) {
    named_.insert_or_assign(process.identity.pid, Named{process, {process.parent_pid, name}});
  }
  return true;
}

const Ancestor* ProcessNaming::known_name(const ProcessBasics& process, bool has_ended) const {
  const auto found = named_.find(process.identity.pid);
  if (found == named_.end()) return nullptr;
  const auto& [before, ancestor] = found->second;
  if (before.identity != process.identity || before.execs != process.execs) return nullptr;
  // Another comm without an exec is a new name for the same arguments, which the dead have no more.
  const bool is_same = before.comm == process.comm || (has_ended && process.execs != 0);
  return is_same ? &ancestor : nullptr;
}

std::optional<std::string> ProcessNaming::name_of_parent_alike(const ProcessBasics& process) const {
  const auto parent = named_.find(process.parent_pid);
  if (parent == named_.end() || parent->second.process.comm != process.comm) return std::nullopt;
  return parent->second.ancestor.name;
}

void ProcessNaming::forget(const ProcessIdentity& identity) {
  if (command_lines_) command_lines_->forget(identity);
  const auto found = named_.find(identity.pid);
  if (found != named_.end() && found->second.process.identity == identity) named_.erase(found);
}

void ProcessNaming::gather(const ProcessBasics& process, bool has_ended, ProcessFacts& facts) {
  if (needs_.user && process.user_id) {
    facts.user_id = process.user_id;
    facts.user = users_.name_of(*process.user_id);
  }
  if (needs_.cgroups) add_cgroups(process, has_ended, facts);
}

bool ProcessNaming::add_command_line(const ProcessBasics& process, bool has_ended,
                                     ProcessFacts& facts) {
  if (!needs_.command_line || process.is_kernel_thread) return true;
  auto line = command_lines_->of(process, has_ended);
  facts.command_line = std::move(line.arguments);
  return !line.is_pending;
}

void ProcessNaming::add_cgroups(const ProcessBasics& process, bool has_ended, ProcessFacts& facts) {
  const bool has_id = process.cgroup_id > kRootCgroup;
  if (const auto known = cgroups_.find(process.cgroup_id); has_id && known != cgroups_.end()) {
    facts.cgroups = known->second;
    return;
  }
  if (has_ended) return;
  auto cgroups = reader_.read_cgroups(process.identity.pid);
  if (!cgroups) return;
  facts.cgroups = *std::move(cgroups);
  if (!has_id || !is_whole_place(process.cgroup_id, *facts.cgroups)) return;
  if (cgroups_.size() >= kMaxCgroups) cgroups_.clear();
  cgroups_.emplace(process.cgroup_id, *facts.cgroups);
}

/// The process may have moved since the id was seen, and where there are hierarchies of version 1,
/// one id of version 2 stands for many places. An id is the inode of the cgroup's directory.
bool ProcessNaming::is_whole_place(std::uint64_t cgroup_id,
                                   const std::vector<procfs::ProcessCgroup>& cgroups) {
  if (cgroups.size() != 1 || !cgroups.front().controllers.empty()) return false;
  const auto directory = sys_.status(("fs/cgroup" + cgroups.front().path).c_str());
  return directory && directory->inode == cgroup_id;
}

}  // namespace collectors
