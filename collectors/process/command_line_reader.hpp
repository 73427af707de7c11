// Command lines, read where nobody waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "collectors/process/observation.hpp"
#include "procfs/file_reader.hpp"

namespace collectors {

/// Reads /proc/PID/cmdline in a thread of its own: the kernel makes the reader wait while the
/// process changes its memory, which a stuck one does for ever. One thread, so such a process holds
/// up the command lines of others, but nothing else. Not thread-safe itself.
class CommandLineReader {
 public:
  /// More are not asked for at a time; they are later.
  static constexpr std::size_t kMaxPending = 4096;

  explicit CommandLineReader(const procfs::FileReader& proc);
  CommandLineReader(const CommandLineReader&) = delete;
  CommandLineReader& operator=(const CommandLineReader&) = delete;
  CommandLineReader(CommandLineReader&&) = delete;
  CommandLineReader& operator=(CommandLineReader&&) = delete;
  /// Does not wait for a read that is under way.
  ~CommandLineReader();

  struct Line {
    bool is_pending = false;
    std::optional<std::vector<std::string>> arguments;  ///< Absent when it cannot be read.
  };
  /// What is known of the process since its exec number `execs`; asks for it when nothing is. Never
  /// pending when the process has ended.
  Line of(const ProcessIdentity& identity, std::uint32_t execs, bool has_ended);
  void forget(const ProcessIdentity& identity) { known_.erase(identity.pid); }

 private:
  struct Shared;
  struct Known {
    ProcessIdentity identity;
    std::uint32_t execs = 0;
    Line line;
  };
  void take_answers();

  std::shared_ptr<Shared> shared_;  // with the thread, which may outlive this object
  bool is_running_ = false;
  std::size_t pending_ = 0;
  std::unordered_map<std::int32_t, Known> known_;  // by pid
};

}  // namespace collectors
