// What the path of a cgroup says about who runs a process.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "procfs/process_identity.hpp"

namespace collectors {

/// Each is "" where there is none. Any bytes that the path has, so not repaired.
struct CgroupPlace {
  std::string cgroup{};  ///< The path.
  /// The systemd unit that owns the process: a service, the scope of a session. A container's own
  /// scope is left out: `container` says it shorter.
  std::string unit{};
  std::string pod{};        ///< The uid of the Kubernetes pod, with '-'; 32 hex digits if static.
  std::string container{};  ///< The first 12 of the 64 hex digits of its id.
  std::string slurm_job{};  ///< What follows job_: a number, or since Slurm 26.05 letters too.

  bool operator==(const CgroupPlace&) const = default;
};

/// From the path of one hierarchy. Knows systemd (the first unit below the slices, so a unit of a
/// user's own manager counts as user@UID.service), docker, containerd, CRI-O and podman with the
/// drivers systemd and cgroupfs, the kubelet's pods, and Slurm.
///
/// The outermost container counts, and nothing below it: what is inside names its cgroups as it
/// likes. For the same reason a user's own manager is only asked for containers (rootless ones),
/// whose ids are then the user's word.
CgroupPlace place_in(std::string_view path);

/// From all lines of /proc/PID/cgroup. With several hierarchies (version 1) each value comes from
/// the first that has one, in the order memory, name=systemd, version 2, the others.
CgroupPlace place_of(std::span<const procfs::ProcessCgroup> cgroups);

}  // namespace collectors
