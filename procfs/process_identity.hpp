// The files below /proc/PID that say what a process is and where it belongs, see proc(5) and
// cgroups(7).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "metrics/result.hpp"

namespace procfs {

/// The arguments in the text of /proc/PID/cmdline, whole or its start: any bytes the process chose,
/// with a zero behind each. One string, as a user may give a process thousands of short ones. Empty
/// ones at the end are taken off, as process-exporter does. A kernel thread and a zombie have no
/// text and so no arguments, ""; an empty first argument alone is one.
std::string parse_process_cmdline(std::string_view text);

/// A line of /proc/PID/cgroup: the place of a process in one hierarchy.
struct ProcessCgroup {
  std::string controllers;  ///< As "memory" or "name=systemd" for version 1; "" for version 2.
  std::string path;         ///< From the root of the hierarchy, "/" for the root itself.

  bool operator==(const ProcessCgroup&) const = default;
};

/// Parses the whole text of /proc/PID/cgroup, in the order of its lines. The " (deleted)" behind a
/// cgroup that was removed before a zombie of it is taken off.
/// Fails with `malformed` when there is no line, or one that has not two ':' and then a '/'.
metrics::Result<std::vector<ProcessCgroup>> parse_process_cgroup(std::string_view text);

}  // namespace procfs
