#include "collectors/process/top_families.hpp"

#include <algorithm>
#include <utility>

#include "collectors/process/cgroup_place.hpp"
#include "metrics/escape.hpp"

namespace collectors {
namespace {

constexpr metrics::Family kTopCpu = {
    "host_top_process_cpu_seconds",
    "CPU time within the window of the processes that used most of it, those that are gone from "
    "/proc included."};
constexpr metrics::Family kTopMemory = {
    "host_top_process_memory_bytes",
    "Most memory resident within the window of the processes that had most, those that are gone "
    "from /proc included."};
// Of processes that were at the top once; then it starts anew.
constexpr std::size_t kMaxPlaces = 1024;

template <class Value>
void emit_list(metrics::Sink& sink, const metrics::Family& family,
               const std::vector<NamedTopProcess>& list, Value value) {
  if (list.empty()) return;
  sink.family(family);
  for (const auto& [process, pid, comm, user, cgroup] : list) {
    sink.sample({{"pid", pid}, {"comm", comm}, {"user", user}, {"cgroup", cgroup}}, value(process));
  }
}

}  // namespace

std::vector<NamedTopProcess> TopNaming::describe(const std::vector<TopProcess>& processes) {
  std::vector<NamedTopProcess> named;
  named.reserve(processes.size());
  for (const auto& process : processes) {
    std::string user;
    if (process.user_id) {
      user = users_.name_of(*process.user_id).value_or(std::to_string(*process.user_id));
    }
    NamedTopProcess entry{process, std::to_string(process.identity.pid),
                          std::string(text_of(process.comm)), std::move(user),
                          cgroup_of(process.identity)};
    // A pid may come back within the window, and a page must not have a series twice.
    const bool is_twice = std::ranges::any_of(named, [&](const NamedTopProcess& other) {
      return other.pid == entry.pid &&
             metrics::repaired(other.comm) == metrics::repaired(entry.comm);
    });
    if (!is_twice) named.push_back(std::move(entry));
  }
  return named;
}

const std::string& TopNaming::cgroup_of(const ProcessIdentity& identity) {
  if (places_.size() >= kMaxPlaces) places_.clear();
  const auto [place, is_new] = places_.try_emplace(identity.pid);
  if (!is_new && place->second.start_ticks == identity.start_ticks) return place->second.cgroup;
  place->second = {identity.start_ticks, {}};
  // Between the two readings the pid may come to another process: its start tells.
  const auto cgroups = reader_.read_cgroups(identity.pid);
  const auto stat = reader_.read_stat(identity.pid);
  if (cgroups && stat && stat->start_time_ticks == identity.start_ticks) {
    place->second.cgroup = place_of(*cgroups).cgroup;
  }
  return place->second.cgroup;
}

void emit_top(metrics::Sink& sink, const TopLists& top) {
  emit_list(sink, kTopCpu, top.by_cpu, [](const TopProcess& process) {
    return static_cast<double>(process.cpu_ns) / kNanosecondsPerSecond;
  });
  emit_list(sink, kTopMemory, top.by_memory, [](const TopProcess& process) {
    return static_cast<double>(process.peak_resident_bytes);
  });
}

void list_top(metrics::FamilyList& list) {
  list.add({kTopCpu, kTopMemory}, "pid,comm,user,cgroup");
}

}  // namespace collectors
