// Command lines, read where nobody waits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "collectors/process/observation.hpp"
#include "metrics/result.hpp"
#include "procfs/file_reader.hpp"
#include "procfs/snapshot.hpp"

namespace collectors {

/// Reads /proc/PID/cmdline in threads of its own: the kernel makes the reader wait while the
/// process changes its memory, which a stuck one does for ever. There is one thread; one that the
/// kernel holds is left to its process, and another takes its place. A line is kept until it is
/// handed on, and no longer. Not thread-safe itself.
class CommandLineReader {
 public:
  /// More are not asked for at a time; they are later.
  static constexpr std::size_t kMaxAsked = 4096;
  /// Nothing is read while lines of so many bytes wait to be handed on.
  static constexpr std::size_t kMaxHeldBytes = 1U << 22U;
  /// A read that takes longer holds its thread for good, as far as we know.
  static constexpr auto kStuckAfter = std::chrono::seconds(1);
  /// What was not read in this time, since it was asked for or a thread was replaced, comes too
  /// late: its process has waited long enough for its group.
  static constexpr auto kPatience = std::chrono::seconds(10);
  static constexpr std::size_t kMaxThreads = 8;

  /// The line of one process, which takes as long as the kernel likes. Nothing when it cannot be
  /// read, or the pid is another's by now.
  using ReadLine = std::function<std::optional<std::string>(const ProcessIdentity& identity)>;
  /// One for a thread of its own.
  using MakeReadLine = std::function<metrics::Result<ReadLine>()>;
  using Now = std::function<procfs::Clock::time_point()>;

  /// Throws std::runtime_error when there is no descriptor left.
  explicit CommandLineReader(const procfs::FileReader& proc);
  explicit CommandLineReader(MakeReadLine make, Now now = procfs::Clock::now);
  CommandLineReader(const CommandLineReader&) = delete;
  CommandLineReader& operator=(const CommandLineReader&) = delete;
  CommandLineReader(CommandLineReader&&) = delete;
  CommandLineReader& operator=(CommandLineReader&&) = delete;
  /// Does not wait for a read that is under way.
  ~CommandLineReader();

  struct Line {
    bool is_pending = false;
    std::optional<std::string> arguments{};  ///< Absent when it cannot be read, or not in time.
  };
  /// The line of the process since its last exec or, where execs are not told, change of name. It
  /// is handed on once: who asks again has it read again. Never pending when the process has ended.
  Line of(const ProcessBasics& process, bool has_ended);
  void forget(const ProcessIdentity& identity);

  /// Reads that the kernel holds now.
  [[nodiscard]] std::size_t stuck() const;
  /// Lines that were not read in time, ever.
  [[nodiscard]] std::uint64_t late() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;  // with the threads, which may outlive this object
};

}  // namespace collectors
