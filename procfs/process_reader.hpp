#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "procfs/file_reader.hpp"
#include "procfs/process.hpp"
#include "procfs/process_details.hpp"
#include "procfs/process_identity.hpp"

namespace procfs {

/// What we read of one process. Optional is what needs the same user or CAP_SYS_PTRACE, or a
/// kernel that offers it.
struct Process {
  ProcessStat stat;
  ProcessStatus status;
  std::optional<ProcessIo> io;
  std::optional<std::uint64_t> open_files;  ///< Descriptors. No right needed since Linux 6.2.
};

/// All processes of one walk. Those that vanish while it goes on are not in it, and not trouble;
/// the counts say how many others are missing.
struct ProcessWalk {
  std::vector<Process> processes;    ///< By ascending pid.
  std::vector<std::int32_t> unread;  ///< Listed but not in `processes`, for whatever reason.
  std::uint64_t denied = 0;          ///< The kernel refused us (hidepid=1, a security module).
  std::uint64_t malformed = 0;
  std::uint64_t failed = 0;        ///< Any other errno.
  std::uint64_t beyond_limit = 0;  ///< Not tried, as more processes were listed than we read.
};

/// What we read of one thread, which is the thread's own as far as ProcessStat says so.
struct Thread {
  std::int32_t tid = 0;
  ProcessStat stat;
  std::optional<ProcessIo> io;  ///< As in Process.
  std::optional<std::uint64_t> voluntary_switches;
  std::optional<std::uint64_t> nonvoluntary_switches;
  /// The function of the kernel that it sleeps in. Absent when it does not, and without the right.
  std::optional<std::string> wait_channel;
};

/// The threads of a process. Those that end meanwhile are not in it.
struct ProcessThreads {
  std::vector<Thread> threads;     ///< By ascending tid.
  std::uint64_t beyond_limit = 0;  ///< Not tried, as there were more than we read.
};

/// Reads processes; the only place that knows the paths. Not thread-safe.
class ProcessReader {
 public:
  /// The walk of so many takes seconds: beyond them, saying so is better than reading on.
  static constexpr std::size_t kMaxProcesses = 65'536;

  /// `proc` must outlive this object.
  explicit ProcessReader(FileReader& proc, std::size_t max_processes = kMaxProcesses);

  /// The pids in /proc, ascending. Fails as FileReader::list() does.
  Result<void> list(std::vector<std::int32_t>& pids);
  /// The same, with what tells a process from the next one of its pid. It may change without that.
  Result<void> list(std::vector<FileReader::Numbered>& processes);

  /// All of one process or, with `gone`, nothing: also when it vanishes between two of its files.
  /// Fails with `denied` or `malformed` too, or `io`.
  Result<Process> read(std::int32_t pid);

  /// Single parts of a process, read when it is new or rarely. All fail with `gone` when there is
  /// no such process, `unsupported` when this one has no such part (a zombie no memory) or the
  /// kernel does not offer it, `denied`, `malformed`, or `io`.
  ///
  /// cmdline and smaps_rollup wait while the process changes its memory, which it may do for ever:
  /// not for a thread that others wait for. cmdline gives the first kMaxCommandLineBytes at most,
  /// as parse_process_cmdline() does: the class paths of Java fit, and megabytes do not.
  /// smaps_rollup needs the same user or CAP_SYS_PTRACE.
  static constexpr std::size_t kMaxCommandLineBytes = 1U << 14U;
  Result<std::string> read_cmdline(std::int32_t pid);
  Result<std::vector<ProcessCgroup>> read_cgroups(std::int32_t pid);
  Result<ProcessStat> read_stat(std::int32_t pid);
  /// As Thread::wait_channel, of the main thread.
  Result<std::string> read_wait_channel(std::int32_t pid);
  Result<ProcessLimits> read_limits(std::int32_t pid);
  Result<ProcessSmapsRollup> read_smaps_rollup(std::int32_t pid);
  Result<ProcessStatm> read_statm(std::int32_t pid);

  /// The threads of a process, at most so many. Four files each.
  static constexpr std::size_t kMaxThreads = 4096;
  Result<ProcessThreads> read_threads(std::int32_t pid, std::size_t max_threads = kMaxThreads);

  /// Lists, and reads those with the lowest pids, in the memory of the last walk. One that cannot
  /// be read does not spoil the rest. Fails when /proc cannot be listed and when there is nothing
  /// to hand on: with the first process's error, or `unsupported` where there is no process.
  Result<void> walk(ProcessWalk& walk);

 private:
  // As long as the longest two numbers, "/task/", '/', the longest name below, and the end.
  using Path = std::array<char, 48>;
  static Path path(std::int32_t pid, std::string_view file);
  static Path thread_path(std::int32_t pid, std::int32_t tid, std::string_view file);

  template <class T>
  Result<T> read_file(const Path& path, Result<T> (*parse)(std::string_view));
  template <class T>
  Result<T> read_part(std::int32_t pid, std::string_view file,
                      Result<T> (*parse)(std::string_view));
  template <class T>
  Result<std::optional<T>> if_readable(const Path& directory, const Result<T>& part);
  Error explained(std::int32_t pid, const Error& error);
  Result<void> list_numbers(const char* directory, std::vector<std::int32_t>& numbers);
  Result<Thread> read_thread(std::int32_t pid, std::int32_t tid);
  Result<std::uint64_t> count_open_files(std::int32_t pid);

  FileReader& proc_;
  std::size_t max_processes_;
  bool directory_size_is_count_;
  std::vector<std::string> names_;
  std::vector<std::int32_t> pids_;
  std::vector<std::int32_t> tids_;
};

}  // namespace procfs
