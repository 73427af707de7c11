// What the name of a process' group may be made of.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "procfs/process_identity.hpp"

namespace collectors {

/// Of one process, since its last exec. All text is any bytes, chosen by whoever runs the process.
/// What was not asked for (NeededFacts) or could not be read is absent.
struct ProcessFacts {
  std::string comm;               ///< From /proc/PID/stat, at most 15 bytes; kernel threads 63.
  bool is_kernel_thread = false;  ///< PF_KTHREAD is in its flags.
  std::int32_t pid = 0;
  /// The arguments, a zero behind each; "" where there are none. process-exporter's "exe" is the
  /// first of these, not the link /proc/PID/exe.
  std::optional<std::string> command_line;
  std::optional<std::uint32_t> user_id;  ///< The effective one.
  std::optional<std::string> user;       ///< Its name.
  std::optional<std::chrono::sys_time<std::chrono::milliseconds>> started_at;
  std::optional<std::vector<procfs::ProcessCgroup>> cgroups;
};

/// Which of the facts that cost something to get are used at all: the caller leaves the others
/// absent and opens no file for them. comm, pid and is_kernel_thread are always expected.
struct NeededFacts {
  bool command_line = false;
  bool user = false;  ///< Both the number and the name.
  bool started_at = false;
  bool cgroups = false;

  bool operator==(const NeededFacts&) const = default;
  NeededFacts& operator|=(const NeededFacts& other);
};

/// The user's name; the number where it has none; "" when neither is known.
std::string user_text(const ProcessFacts& facts);

/// Where there are arguments. Lives as long as `facts`.
std::optional<std::string_view> first_argument(const ProcessFacts& facts);

/// The last component of a path, as Go's filepath.Base: "." for "", "/" for nothing but slashes,
/// and slashes at the end do not count.
std::string_view base_name(std::string_view path);

}  // namespace collectors
