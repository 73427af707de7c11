#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "procfs/file_reader.hpp"
#include "procfs/process.hpp"

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

/// Reads processes; the only place that knows the paths. Not thread-safe.
class ProcessReader {
 public:
  /// The walk of so many takes seconds: beyond them, saying so is better than reading on.
  static constexpr std::size_t kMaxProcesses = 65'536;

  /// `proc` must outlive this object.
  explicit ProcessReader(FileReader& proc, std::size_t max_processes = kMaxProcesses);

  /// The pids in /proc, ascending. Fails as FileReader::list() does.
  Result<void> list(std::vector<std::int32_t>& pids);

  /// All of one process or, with `gone`, nothing: also when it vanishes between two of its files.
  /// Fails with `denied` or `malformed` too, or `io`.
  Result<Process> read(std::int32_t pid);

  /// Lists, and reads those with the lowest pids, in the memory of the last walk. One that cannot
  /// be read does not spoil the rest. Fails when /proc cannot be listed and when there is nothing
  /// to hand on: with the first process's error, or `unsupported` where there is no process.
  Result<void> walk(ProcessWalk& walk);

 private:
  // As long as the longest number, '/', the longest name below, and the end.
  using Path = std::array<char, 24>;
  static Path path(std::int32_t pid, std::string_view file);

  template <class T>
  Result<T> read_file(std::int32_t pid, std::string_view file,
                      Result<T> (*parse)(std::string_view));
  template <class T>
  Result<std::optional<T>> if_readable(std::int32_t pid, const Result<T>& part);
  Result<std::uint64_t> count_open_files(std::int32_t pid);

  FileReader& proc_;
  std::size_t max_processes_;
  bool directory_size_is_count_;
  std::vector<std::string> names_;
  std::vector<std::int32_t> pids_;
};

}  // namespace procfs
