#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "collectors/process/facts.hpp"
#include "collectors/process/naming_config.hpp"

namespace collectors {

/// Tells the group of a process from what is known of it. Immutable: any thread may ask. A
/// configuration that is read anew makes a new one, and the caller asks again for every process.
class GroupNamer {
 public:
  /// Only so much of a command line is looked at: an argument of the longest size. A user may give
  /// a process megabytes of them, and each regular expression would read all.
  static constexpr std::size_t kMaxCommandLineBytes = 1U << 17U;

  /// The default: a group per comm, and it needs nothing else. A kernel thread's ends before the
  /// first '/' or ':' within it: what follows is a CPU, a device or the work at hand, as in
  /// "kworker/0:1-events" and "ksoftirqd/7", and there are hundreds of them on large hosts.
  GroupNamer() = default;
  /// As process-exporter: the first rule that matches. A command line that is absent matches no
  /// exe and no cmdline. Unlike there, all paths of an exe count that end in the same name.
  /// The regular expressions see the arguments joined by single blanks, as repaired UTF-8.
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
