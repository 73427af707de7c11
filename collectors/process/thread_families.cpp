#include "collectors/process/thread_families.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/process/group_label_set.hpp"

namespace collectors {
namespace {

using metrics::Family;
using metrics::Kind;

std::optional<double> thread_count(const NamedThreads& threads) {
  return static_cast<double>(threads.count);
}

std::optional<double> thread_user_seconds(const NamedThreads& threads) {
  return static_cast<double>(threads.totals.user_ns) / kNanosecondsPerSecond;
}

std::optional<double> thread_system_seconds(const NamedThreads& threads) {
  return static_cast<double>(threads.totals.cpu_ns - threads.totals.user_ns) /
         kNanosecondsPerSecond;
}

template <Count Which>
std::optional<double> thread_total(const NamedThreads& threads) {
  const auto total = threads.totals.get(Which);
  if (!total) return std::nullopt;
  return static_cast<double>(*total);
}

struct ThreadPart {
  std::string_view name;  // the value of ThreadTable::label; empty where there is no such label
  std::optional<double> (*value)(const NamedThreads& threads) = nullptr;
};

struct ThreadTable {
  Family family;
  std::string_view label;
  std::array<ThreadPart, 2> parts;  // the second may have no value
};

constexpr std::array kThreadTables = {
    ThreadTable{{"namedprocess_namegroup_thread_count",
                 "Threads of the group that have the name, from /proc/PID/task."},
                "",
                {{{"", thread_count}}}},
    ThreadTable{{"namedprocess_namegroup_thread_cpu_seconds_total",
                 "CPU time of all threads that were seen under the name, from utime and stime of "
                 "/proc/PID/task/TID/stat.",
                 Kind::counter},
                "mode",
                {{{"user", thread_user_seconds}, {"system", thread_system_seconds}}}},
    ThreadTable{
        {"namedprocess_namegroup_thread_io_bytes_total",
         "Storage traffic of those threads that may be looked at, from read_bytes and "
         "write_bytes of /proc/PID/task/TID/io.",
         Kind::counter},
        "iomode",
        {{{"read", thread_total<Count::read_bytes>}, {"write", thread_total<Count::write_bytes>}}}},
    ThreadTable{{"namedprocess_namegroup_thread_major_page_faults_total",
                 "Page faults that had to wait for storage, from majflt of "
                 "/proc/PID/task/TID/stat.",
                 Kind::counter},
                "",
                {{{"", thread_total<Count::major_faults>}}}},
    ThreadTable{
        {"namedprocess_namegroup_thread_minor_page_faults_total",
         "Page faults served from memory, from minflt of /proc/PID/task/TID/stat.", Kind::counter},
        "",
        {{{"", thread_total<Count::minor_faults>}}}},
    ThreadTable{{"namedprocess_namegroup_thread_context_switches_total",
                 "Context switches of the threads, from /proc/PID/task/TID/status.", Kind::counter},
                "ctxswitchtype",
                {{{"voluntary", thread_total<Count::voluntary_switches>},
                  {"nonvoluntary", thread_total<Count::involuntary_switches>}}}},
};

constexpr Family kWaitChannels = {
    "namedprocess_namegroup_threads_wchan",
    "Threads that sleep in the function of the kernel, of those that may be looked at, from "
    "/proc/PID/task/TID/wchan."};

void emit_thread_table(metrics::Sink& sink, const ThreadTable& table,
                       const GroupFamiliesInput& input, GroupLabelSet& labels) {
  bool is_announced = false;
  for (const auto& [key, group] : input.groups.by_key()) {
    for (const auto& [name, threads] : group.threads) {
      for (const auto& part : table.parts) {
        if (part.value == nullptr) break;
        const auto value = part.value(threads);
        if (!value) continue;
        if (!std::exchange(is_announced, true)) sink.family(table.family);
        sink.sample(labels.of(key, {{"threadname", name}, {table.label, part.name}}), *value);
      }
    }
  }
}

}  // namespace

void emit_threads(metrics::Sink& sink, const GroupFamiliesInput& input) {
  GroupLabelSet labels(input.label_names);
  for (const auto& table : kThreadTables) emit_thread_table(sink, table, input, labels);
  bool is_announced = false;
  for (const auto& [key, group] : input.groups.by_key()) {
    for (const auto& [name, count] : group.wait_channels) {
      if (!std::exchange(is_announced, true)) sink.family(kWaitChannels);
      sink.sample(labels.of(key, {{"wchan", name}}), static_cast<double>(count));
    }
  }
}

void list_threads(metrics::FamilyList& list) {
  for (const auto& table : kThreadTables) {
    const auto labels = std::string("groupname,threadname").append(table.label.empty() ? "" : ",");
    list.add({table.family}, labels + std::string(table.label), kWithThreads);
  }
  list.add({kWaitChannels}, "groupname,wchan", kWithThreads);
}

}  // namespace collectors
