#include "collectors/process/families.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collectors/process/group_label_set.hpp"

namespace collectors {
namespace {

using metrics::Family;
using metrics::Kind;
using Input = GroupFamiliesInput;
using Value = std::optional<double> (*)(const ProcessGroup& group, const Input& input);

double seconds_of(std::uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / kNanosecondsPerSecond;
}

template <std::uint64_t GroupMembers::*Member>
std::optional<double> sum(const ProcessGroup& group, const Input& /*input*/) {
  return static_cast<double>(group.members.*Member);
}

template <std::uint64_t ProportionalMemory::*Member>
std::optional<double> proportional(const ProcessGroup& group, const Input& /*input*/) {
  if (!group.members.proportional) return std::nullopt;
  return static_cast<double>((*group.members.proportional).*Member);
}

template <std::size_t State>
std::optional<double> in_state(const ProcessGroup& group, const Input& /*input*/) {
  return static_cast<double>(group.members.in_state[State]);
}

std::optional<double> open_files(const ProcessGroup& group, const Input& /*input*/) {
  if (!group.members.open_files) return std::nullopt;
  return static_cast<double>(*group.members.open_files);
}

std::optional<double> worst_ratio(const ProcessGroup& group, const Input& /*input*/) {
  return group.members.worst_open_files_ratio;
}

std::optional<double> oldest_start(const ProcessGroup& group, const Input& input) {
  const auto ticks = group.members.oldest_start_ticks;
  if (!ticks) return std::nullopt;
  return input.boot_time_seconds + static_cast<double>(*ticks) / input.ticks_per_second;
}

std::optional<double> user_seconds(const ProcessGroup& group, const Input& /*input*/) {
  return seconds_of(group.totals.user_ns);
}

std::optional<double> system_seconds(const ProcessGroup& group, const Input& /*input*/) {
  return seconds_of(group.totals.cpu_ns - group.totals.user_ns);
}

template <Count Which>
std::optional<double> total(const ProcessGroup& group, const Input& /*input*/) {
  const auto count = group.totals.get(Which);
  if (!count) return std::nullopt;
  return static_cast<double>(*count);
}

std::optional<double> delay_seconds(const ProcessGroup& group, const Input& input) {
  const auto nanoseconds = total<Count::cpu_delay_ns>(group, input);
  if (!nanoseconds) return std::nullopt;
  return *nanoseconds / kNanosecondsPerSecond;
}

std::optional<double> started(const ProcessGroup& group, const Input& /*input*/) {
  return static_cast<double>(group.started);
}

template <ExitReason Reason>
std::optional<double> exited(const ProcessGroup& group, const Input& input) {
  const bool is_told = Reason == ExitReason::oom ? input.tells_oom_kills : input.tells_exits;
  if (!is_told) return std::nullopt;
  return static_cast<double>(group.exited[static_cast<std::size_t>(Reason)]);
}

std::optional<double> memory_peak(const ProcessGroup& group, const Input& input) {
  const auto peak = group.memory_peak_bytes.at(input.now);
  if (!peak) return std::nullopt;
  return peak->value;
}

std::optional<double> cpu_peak(const ProcessGroup& group, const Input& input) {
  const auto peak = group.cpu_cores_peak.at(input.now);
  if (!peak) return std::nullopt;
  return peak->value;
}

struct Part {
  std::string_view name;  // the value of Table::label; empty where the family has no such label
  Value value = nullptr;
};

struct Table {
  Family family;
  std::string_view label;
  std::array<Part, kProcessStates.size()> parts;  // the first without a value ends them
  std::string_view condition = {};                // of metrics::ListedFamily
};

constexpr std::array kTables = {
    Table{{"namedprocess_namegroup_num_procs",
           "Processes of the group, zombies included, from /proc/PID/stat or a BPF task iterator."},
          "",
          {{{"", sum<&GroupMembers::processes>}}}},
    Table{{"namedprocess_namegroup_cpu_seconds_total",
           "CPU time of all processes that ever were in the group, while they were, from utime and "
           "stime of /proc/PID/stat or what BPF reads them from.",
           Kind::counter},
          "mode",
          {{{"user", user_seconds}, {"system", system_seconds}}}},
    Table{{"namedprocess_namegroup_memory_bytes",
           "Memory of the processes, shared pages counted for each, as VmRSS, VmSize and VmSwap of "
           "/proc/PID/status; proportional: shared out, from Pss and SwapPss of those "
           "/proc/PID/smaps_rollup that may be looked at."},
          "memtype",
          {{{"resident", sum<&GroupMembers::resident_bytes>},
            {"virtual", sum<&GroupMembers::virtual_bytes>},
            {"swapped", sum<&GroupMembers::swapped_bytes>},
            {"proportionalResident", proportional<&ProportionalMemory::resident_bytes>},
            {"proportionalSwapped", proportional<&ProportionalMemory::swapped_bytes>}}}},
    Table{{"namedprocess_namegroup_num_threads",
           "Threads of the processes, as num_threads of /proc/PID/stat."},
          "",
          {{{"", sum<&GroupMembers::threads>}}}},
    Table{{"namedprocess_namegroup_open_filedesc",
           "File descriptors open in those processes that may be looked at, as in /proc/PID/fd."},
          "",
          {{{"", open_files}}}},
    Table{
        {"namedprocess_namegroup_worst_fd_ratio",
         "Open file descriptors of a process as a share of its soft limit in /proc/PID/limits, the "
         "largest."},
        "",
        {{{"", worst_ratio}}}},
    Table{{"namedprocess_namegroup_read_bytes_total",
           "Bytes fetched from storage by those processes that may be looked at, as read_bytes of "
           "/proc/PID/io.",
           Kind::counter},
          "",
          {{{"", total<Count::read_bytes>}}}},
    Table{{"namedprocess_namegroup_write_bytes_total",
           "Bytes bound for storage from those processes that may be looked at, as write_bytes of "
           "/proc/PID/io.",
           Kind::counter},
          "",
          {{{"", total<Count::write_bytes>}}}},
    Table{{"namedprocess_namegroup_major_page_faults_total",
           "Page faults that had to wait for storage, as majflt of /proc/PID/stat.", Kind::counter},
          "",
          {{{"", total<Count::major_faults>}}}},
    Table{{"namedprocess_namegroup_minor_page_faults_total",
           "Page faults served from memory, as minflt of /proc/PID/stat.", Kind::counter},
          "",
          {{{"", total<Count::minor_faults>}}}},
    Table{{"namedprocess_namegroup_context_switches_total",
           "Context switches of all threads that ever were in the group, as in /proc/PID/status; "
           "without BPF or --collector.process.threads only of processes with a single thread.",
           Kind::counter},
          "ctxswitchtype",
          {{{"voluntary", total<Count::voluntary_switches>},
            {"nonvoluntary", total<Count::involuntary_switches>}}}},
    Table{{"namedprocess_namegroup_states",
           "Processes by the state of their main thread, as in /proc/PID/stat."},
          "state",
          {{{kProcessStates[0], in_state<0>},
            {kProcessStates[1], in_state<1>},
            {kProcessStates[2], in_state<2>},
            {kProcessStates[3], in_state<3>},
            {kProcessStates[4], in_state<4>}}}},
    Table{{"namedprocess_namegroup_oldest_start_time_seconds",
           "Start of the oldest of the processes since the epoch, from btime of /proc/stat and "
           "starttime of /proc/PID/stat."},
          "",
          {{{"", oldest_start}}}},
    Table{{"host_process_started_total",
           "Processes that started in the group, also those that lived between two scrapes where "
           "BPF or taskstats tells of them; else those seen in /proc.",
           Kind::counter},
          "",
          {{{"", started}}}},
    Table{{"host_process_exited_total",
           "Processes that ended in the group, by reason, from BPF or taskstats; only BPF tells "
           "oom from signal.",
           Kind::counter},
          "reason",
          {{{kExitReasons[0], exited<ExitReason::normal>},
            {kExitReasons[1], exited<ExitReason::error>},
            {kExitReasons[2], exited<ExitReason::signal>},
            {kExitReasons[3], exited<ExitReason::oom>}}},
          "with BPF or taskstats"},
    Table{{"host_process_group_memory_peak_bytes",
           "Most memory that one process of the group had resident, by the kernel's high-water "
           "mark (VmHWM of /proc/PID/status), within two windows."},
          "",
          {{{"", memory_peak}}}},
    Table{{"host_process_group_cpu_cores_peak",
           "Most CPUs that the group kept busy from one tick to the next, within two windows, from "
           "BPF or /proc/PID/stat."},
          "",
          {{{"", cpu_peak}}}},
    Table{{"host_process_group_cpu_delay_seconds_total",
           "Time that threads of the group could have run but waited for a CPU, as in "
           "/proc/PID/schedstat.",
           Kind::counter},
          "",
          {{{"", delay_seconds}}},
          "with BPF"},
};

constexpr Family kCpuCores = {
    "host_process_group_cpu_cores",
    "CPUs that the group kept busy from one tick to the next, from BPF or "
    "/proc/PID/stat.",
    Kind::histogram};

/// In the order of the page; each table goes through all of them.
using Groups = std::vector<const GroupTable::ByKey::value_type*>;

/// A family that the source knows nothing of is left out.
void emit_table(metrics::Sink& sink, const Table& table, const Groups& groups, const Input& input,
                GroupLabelSet& labels) {
  bool is_announced = false;
  for (const auto* const entry : groups) {
    const auto& [key, group] = *entry;
    for (const auto& part : table.parts) {
      if (part.value == nullptr) break;
      const auto value = part.value(group, input);
      if (!value) continue;
      if (!std::exchange(is_announced, true)) sink.family(table.family);
      sink.sample(labels.of(key, {{table.label, part.name}}), *value);
    }
  }
}

}  // namespace

void emit_groups(metrics::Sink& sink, const GroupFamiliesInput& input) {
  GroupLabelSet labels(input.label_names);
  Groups groups;
  for (const auto& entry : input.groups.by_key()) groups.push_back(&entry);
  for (const auto& table : kTables) emit_table(sink, table, groups, input, labels);
  sink.family(kCpuCores);
  std::array<metrics::Bucket, kCpuCoresEdges.size() + 1> room{};
  for (const auto* const entry : groups) {
    sink.histogram(labels.of(entry->first), entry->second.cpu_cores.reading(room));
  }
}

void list_groups(metrics::FamilyList& list) {
  for (const auto& table : kTables) {
    const auto labels = std::string("groupname").append(table.label.empty() ? "" : ",");
    list.add({table.family}, labels + std::string(table.label), table.condition);
  }
  list.add({kCpuCores}, "groupname");
}

}  // namespace collectors
