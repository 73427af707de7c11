#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "collectors/process/facts.hpp"
#include "collectors/process/naming_config.hpp"
#include "procfs/process_reader.hpp"

namespace collectors {

/// A kernel thread's ends before the first '/' or ':' within it: what follows is a CPU, a device or
/// the work at hand, as in "kworker/0:1-events" and "ksoftirqd/7", and there are hundreds of them
/// on large hosts.
std::string_view plain_name(std::string_view comm, bool is_kernel_thread);

/// Tells the group of a process from what is known of it. Immutable: any thread may ask. A
/// configuration that is read anew makes a new one, and the caller asks again for every process.
class GroupNamer {
 public:
  /// Only so much of a command line is looked at, and read: a user may give a process megabytes of
  /// arguments, and each regular expression would look at all.
  static constexpr auto kMaxCommandLineBytes = procfs::ProcessReader::kMaxCommandLineBytes;

  /// The default: a group per plain_name(), and it needs nothing else.
  GroupNamer() = default;
  /// As process-exporter: the first rule that matches. Unlike there, all paths of an exe count that
  /// end in the same name. The regular expressions see the arguments joined by single blanks, as
  /// repaired UTF-8.
  ///
  /// Of a process that ended before anybody looked, or that has no arguments, its comm is all there
  /// is: it stands for a command line of one word, and for each exe whose last part it is (the
  /// start of it, where the kernel has cut it at 15 bytes). So what has a group of its own by name
  /// has it also when it is short-lived, and what is told apart by its arguments alone has not.
  /// A kernel thread has an empty one, as there, and matches no exe.
  explicit GroupNamer(NamingConfig config) : config_(std::move(config)) {}

  /// Its name: valid UTF-8 of at most kMaxGroupNameBytes, perhaps empty. Nothing when no rule
  /// matches: then it has no group of its own, but may inherit one, see descent.hpp.
  [[nodiscard]] std::optional<std::string> name(const ProcessFacts& facts) const;
  /// The facts that name() ever looks at.
  [[nodiscard]] NeededFacts needs() const;

 private:
  std::optional<NamingConfig> config_;
};

}  // namespace collectors
