// The processes that used most of late, as families.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "collectors/collector.hpp"
#include "collectors/process/top.hpp"
#include "collectors/process/user_names.hpp"
#include "metrics/family_list.hpp"
#include "metrics/sink.hpp"
#include "procfs/process_reader.hpp"

namespace collectors {

inline constexpr std::size_t kTopProcesses = 10;

struct NamedTopProcess {
  TopProcess process;
  std::string pid, comm, user, cgroup;
};
struct TopLists {
  std::vector<NamedTopProcess> by_cpu, by_memory;
};

/// Finds out the users and cgroups of the few processes at the top. The cgroup of a process that
/// ended before it was ever there stays unknown. Not thread-safe.
class TopNaming {
 public:
  /// `users` must outlive it, as must the host's /proc.
  TopNaming(const Host& host, UserNames& users) : reader_(host.proc), users_(users) {}

  std::vector<NamedTopProcess> describe(const std::vector<TopProcess>& processes);

 private:
  const std::string& cgroup_of(const ProcessIdentity& identity);

  struct Place {
    std::uint64_t start_ticks = 0;
    std::string cgroup;
  };
  procfs::ProcessReader reader_;
  UserNames& users_;
  std::unordered_map<std::int32_t, Place> places_;  // by pid
};

void emit_top(metrics::Sink& sink, const TopLists& top);
/// Those families.
void list_top(metrics::FamilyList& list);

}  // namespace collectors
