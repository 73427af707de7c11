#include "collectors/reserved_names.hpp"

#include <algorithm>
#include <array>

namespace collectors {
namespace {

/// A star at the end stands for anything. Not all of node_: scripts that write text files have
/// names like node_reboot_required.
constexpr std::array<std::string_view, 34> kReserved = {
    "cpu_percent",
    "virtual_memory_free",
    "virtual_memory_percent",
    "host_*",
    "namedprocess_*",
    "resource_exporter_*",
    "process_*",
    "node_boot_time_seconds",
    "node_context_switches*",
    "node_cpu_*",
    "node_disk_*",
    "node_exporter_*",
    "node_filefd_*",
    "node_filesystem_*",
    "node_forks*",
    "node_intr*",
    "node_load1",
    "node_load5",
    "node_load15",
    "node_memory_*",
    "node_network_*",
    "node_os_*",
    "node_pressure_*",
    "node_procs_*",
    "node_scrape_*",
    "node_softirqs*",
    "node_textfile_*",
    "node_time_*",
    "node_uname_*",
    "node_vmstat_*",
    // Of Prometheus itself.
    "up",
    "scrape_*",
    "ALERTS",
    "ALERTS_FOR_STATE",
};

bool matches(std::string_view pattern, std::string_view metric) {
  if (!pattern.ends_with('*')) return pattern == metric;
  pattern.remove_suffix(1);
  return metric.starts_with(pattern);
}

}  // namespace

bool is_reserved_name(std::string_view metric) {
  return std::any_of(kReserved.begin(), kReserved.end(),
                     [metric](std::string_view pattern) { return matches(pattern, metric); });
}

}  // namespace collectors
