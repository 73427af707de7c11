// Processes by name, from /proc/PID. Families of process-exporter, with the name as group.
//
// Each scrape is one walk, so that what a process used between the last walk and its end is not in
// the counters yet.
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "collectors/catalog.hpp"
#include "collectors/process/groups.hpp"

namespace collectors {
namespace {

using metrics::Family;
using metrics::Kind;
using Counters = ProcessCounters;
using Members = ProcessGroup::Members;

// The series of a page are at most 18 times as many.
constexpr std::size_t kMaxGroups = 200;
// Long enough for every scraper that comes once per window to see the last values.
constexpr int kWindowsToKeepEmpty = 2;

struct Units {
  double ticks_per_second = 0;
  double boot_time_seconds = 0;
};

using Value = std::optional<double> (*)(const ProcessGroup& group, const Units& units);

template <std::uint64_t Members::*Member>
std::optional<double> sum(const ProcessGroup& group, const Units& /*units*/) {
  return static_cast<double>(group.members.*Member);
}

template <std::size_t State>
std::optional<double> in_state(const ProcessGroup& group, const Units& /*units*/) {
  return static_cast<double>(group.members.in_state[State]);
}

std::optional<double> open_files(const ProcessGroup& group, const Units& /*units*/) {
  if (!group.members.open_files) return std::nullopt;
  return static_cast<double>(*group.members.open_files);
}

std::optional<double> oldest_start(const ProcessGroup& group, const Units& units) {
  const auto ticks = group.members.oldest_start_ticks;
  if (!ticks) return std::nullopt;
  return units.boot_time_seconds + static_cast<double>(*ticks) / units.ticks_per_second;
}

template <std::uint64_t Counters::*Counter>
std::optional<double> total(const ProcessGroup& group, const Units& /*units*/) {
  return static_cast<double>(group.totals.*Counter);
}

template <std::uint64_t Counters::*Counter>
std::optional<double> total_seconds(const ProcessGroup& group, const Units& units) {
  return static_cast<double>(group.totals.*Counter) / units.ticks_per_second;
}

template <std::uint64_t Counters::*Counter>
std::optional<double> total_io(const ProcessGroup& group, const Units& /*units*/) {
  if (!group.has_io) return std::nullopt;
  return static_cast<double>(group.totals.*Counter);
}

struct Part {
  std::string_view name;  // the value of Table::label; empty where the family has no such label
  Value value = nullptr;
};

struct Table {
  Family family;
  std::string_view label;
  std::array<Part, kProcessStates.size()> parts;  // the first without a value ends them
};

constexpr std::array kTables = {
    Table{{"namedprocess_namegroup_num_procs",
           "Processes of this name, kernel threads and zombies included, from /proc/PID/stat.",
           Kind::gauge},
          "",
          {{{"", sum<&Members::processes>}}}},
    Table{{"namedprocess_namegroup_cpu_seconds_total",
           "CPU time that processes used while they had this name, from utime and stime of "
           "/proc/PID/stat.",
           Kind::counter},
          "mode",
          {{{"user", total_seconds<&Counters::user_ticks>},
            {"system", total_seconds<&Counters::system_ticks>}}}},
    Table{{"namedprocess_namegroup_memory_bytes",
           "Memory of the processes, shared pages counted for each: VmRSS and VmSwap of "
           "/proc/PID/status, vsize of /proc/PID/stat.",
           Kind::gauge},
          "memtype",
          {{{"resident", sum<&Members::resident_bytes>},
            {"virtual", sum<&Members::virtual_bytes>},
            {"swapped", sum<&Members::swapped_bytes>}}}},
    Table{{"namedprocess_namegroup_num_threads",
           "Threads of the processes, from num_threads of /proc/PID/stat.", Kind::gauge},
          "",
          {{{"", sum<&Members::threads>}}}},
    Table{{"namedprocess_namegroup_open_filedesc",
           "File descriptors open in those processes that may be looked at, from /proc/PID/fd.",
           Kind::gauge},
          "",
          {{{"", open_files}}}},
    Table{{"namedprocess_namegroup_read_bytes_total",
           "Bytes fetched from storage by those processes that may be looked at, from read_bytes "
           "of /proc/PID/io.",
           Kind::counter},
          "",
          {{{"", total_io<&Counters::read_bytes>}}}},
    Table{{"namedprocess_namegroup_write_bytes_total",
           "Bytes sent to storage by those processes that may be looked at, from write_bytes of "
           "/proc/PID/io.",
           Kind::counter},
          "",
          {{{"", total_io<&Counters::write_bytes>}}}},
    Table{
        {"namedprocess_namegroup_major_page_faults_total",
         "Page faults that had to wait for storage, from majflt of /proc/PID/stat.", Kind::counter},
        "",
        {{{"", total<&Counters::major_faults>}}}},
    Table{{"namedprocess_namegroup_minor_page_faults_total",
           "Page faults served from memory, from minflt of /proc/PID/stat.", Kind::counter},
          "",
          {{{"", total<&Counters::minor_faults>}}}},
    Table{{"namedprocess_namegroup_states",
           "Processes by the state of their main thread, from /proc/PID/stat.", Kind::gauge},
          "state",
          {{{kProcessStates[0], in_state<0>},
            {kProcessStates[1], in_state<1>},
            {kProcessStates[2], in_state<2>},
            {kProcessStates[3], in_state<3>},
            {kProcessStates[4], in_state<4>}}}},
    Table{{"namedprocess_namegroup_oldest_start_time_seconds",
           "Start of the oldest of the processes since the epoch, from btime of /proc/stat and "
           "starttime of /proc/PID/stat.",
           Kind::gauge},
          "",
          {{{"", oldest_start}}}},
};

constexpr Family kUnread = {"host_process_unread",
                            "Processes listed in /proc but missing from every group, by reason: "
                            "the kernel denied us, a file was malformed, another error, or there "
                            "were more than we read.",
                            Kind::gauge};

class Processes final : public Collector {
 public:
  explicit Processes(const Host& host)
      : host_(host),
        reader_(host.proc),
        groups_(kMaxGroups,
                std::chrono::duration_cast<Clock::duration>(kWindowsToKeepEmpty * host.window)) {}

  metrics::Result<void> refresh(Clock::time_point now) override {
    const auto& stat = host_.files.stat.at(now);
    if (!stat) return stat.error();
    if (auto walked = reader_.walk(walk_); !walked) return walked;
    units_ = {host_.system.ticks_per_second, static_cast<double>(stat->boot_time_seconds)};
    groups_.update(walk_, now);
    return {};
  }

  void emit(metrics::Sink& sink) const override {
    for (const auto& table : kTables) emit_table(sink, table);
    sink.family(kUnread);
    sink.sample({{"reason", "denied"}}, static_cast<double>(walk_.denied));
    sink.sample({{"reason", "malformed"}}, static_cast<double>(walk_.malformed));
    sink.sample({{"reason", "error"}}, static_cast<double>(walk_.failed));
    sink.sample({{"reason", "limit"}}, static_cast<double>(walk_.beyond_limit));
  }

 private:
  void emit_table(metrics::Sink& sink, const Table& table) const {
    sink.family(table.family);
    for (const auto& [name, group] : groups_.by_name()) {
      for (const auto& part : table.parts) {
        if (part.value == nullptr) break;
        const auto value = part.value(group, units_);
        if (!value) continue;
        const std::array<metrics::Label, 2> labels = {
            {{"groupname", name}, {table.label, part.name}}};
        sink.sample(metrics::Labels(labels).first(table.label.empty() ? 1 : 2), *value);
      }
    }
  }

  Host host_;
  procfs::ProcessReader reader_;
  procfs::ProcessWalk walk_;
  ProcessGroups groups_;
  Units units_;
};

}  // namespace

constinit const CollectorSpec kProcess = {
    "process", "Processes by name: CPU, memory, I/O, files, states (/proc/PID).", true,
    Reads::memory, make_collector<Processes>};

}  // namespace collectors
