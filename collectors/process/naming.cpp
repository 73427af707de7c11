#include "collectors/process/naming.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "collectors/process/naming_config.hpp"

namespace collectors {
namespace {

// Ids of cgroups are not reused soon; a host that makes more of them starts anew.
constexpr std::size_t kMaxCgroups = 4096;
// The root of the version 2 hierarchy: on a host with version 1 all processes are in it, and it
// says nothing of their place.
constexpr std::uint64_t kRootCgroup = 1;

GroupNamer namer_of(const Settings& settings) {
  const auto path = settings.text("process", kNamingConfig);
  if (path.empty()) return {};
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) throw std::invalid_argument("--collector.process.config: cannot read " + path);
  auto config = parse_naming_config(text, path);
  if (!config) throw std::invalid_argument(config.error().detail);
  return GroupNamer(*std::move(config));
}

GroupLabels labels_of(const Settings& settings) {
  auto labels = GroupLabels::parse(settings.text("process", kNamingLabels));
  if (!labels) throw std::invalid_argument("--collector.process.labels: " + labels.error().detail);
  return *std::move(labels);
}

}  // namespace

ProcessNaming::ProcessNaming(const Host& host)
    : namer_(namer_of(host.settings)),
      labels_(labels_of(host.settings)),
      needs_(namer_.needs()),
      is_inherited_(!host.settings.text("process", kNamingConfig).empty()),
      ticks_per_second_(host.system.ticks_per_second),
      reader_(host.proc),
      users_(host.root) {
  needs_ |= labels_.needs();
  if (needs_.command_line) command_lines_ = std::make_unique<CommandLineReader>(host.proc);
}

GroupResolver::Answer ProcessNaming::resolve(const ProcessBasics& process, bool has_ended,
                                             GroupKey& key) {
  ProcessFacts facts;
  facts.comm = text_of(process.comm);
  facts.is_kernel_thread = process.is_kernel_thread;
  facts.pid = process.identity.pid;
  if (!gather(process, has_ended, facts)) return Answer::later;
  auto name = namer_.name(facts);
  if (is_inherited_) name = name_or_inherited(process, has_ended, std::move(name));
  if (!name) return Answer::none;
  key.name = *std::move(name);
  key.label_values = labels_.values(facts);
  return Answer::named;
}

std::optional<std::string> ProcessNaming::name_or_inherited(const ProcessBasics& process,
                                                            bool has_ended,
                                                            std::optional<std::string> name) {
  if (!name) {
    name = inherited_name(process.parent_pid, [this](std::int32_t pid) -> const Ancestor* {
      const auto found = named_.find(pid);
      return found == named_.end() ? nullptr : &found->second.ancestor;
    });
  }
  if (!has_ended) {
    named_.insert_or_assign(process.identity.pid,
                            Named{process.identity, {process.parent_pid, name}});
  }
  return name;
}

void ProcessNaming::forget(const ProcessIdentity& identity) {
  if (command_lines_) command_lines_->forget(identity);
  const auto found = named_.find(identity.pid);
  if (found != named_.end() && found->second.identity == identity) named_.erase(found);
}

bool ProcessNaming::gather(const ProcessBasics& process, bool has_ended, ProcessFacts& facts) {
  if (needs_.user && process.user_id) {
    facts.user_id = process.user_id;
    facts.user = users_.name_of(*process.user_id);
  }
  if (needs_.cgroups) add_cgroups(process, has_ended, facts);
  if (!needs_.command_line || process.is_kernel_thread) return true;
  auto line = command_lines_->of(process.identity, process.execs, has_ended);
  if (line.is_pending) return false;
  facts.command_line = std::move(line.arguments);
  return true;
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
  if (!has_id) return;
  if (cgroups_.size() >= kMaxCgroups) cgroups_.clear();
  cgroups_.emplace(process.cgroup_id, *facts.cgroups);
}

}  // namespace collectors
