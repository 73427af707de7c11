#include "procfs/process_reader.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "procfs/text.hpp"

namespace procfs {
namespace {

/// Since Linux 6.2 the size of /proc/PID/fd is the number of descriptors, before it is 0. We have
/// one open, so that our own directory tells.
bool has_counted_directories(FileReader& proc) {
  const auto own = proc.status("self/fd");
  return own && own->size_bytes > 0;
}

void count(Errc code, ProcessWalk& walk) {
  switch (code) {
    case Errc::gone:
      return;
    case Errc::denied:
      ++walk.denied;
      return;
    case Errc::malformed:
      ++walk.malformed;
      return;
    case Errc::unsupported:
    case Errc::io:
      ++walk.failed;
      return;
  }
}

/// "0" stands for a thread that runs, and for what we may not know.
Result<std::string> parse_wait_channel(std::string_view text) {
  if (text.empty() || text == "0") return Error{Errc::unsupported, "wchan: none"};
  return std::string(text);
}

}  // namespace

ProcessReader::ProcessReader(FileReader& proc, std::size_t max_processes)
    : proc_(proc),
      max_processes_(max_processes),
      directory_size_is_count_(has_counted_directories(proc)) {}

Result<void> ProcessReader::list(std::vector<std::int32_t>& pids) {
  return list_numbers(".", pids);
}

Result<void> ProcessReader::list(std::vector<FileReader::Numbered>& processes) {
  return proc_.list_numbers(".", processes);
}

Result<Process> ProcessReader::read(std::int32_t pid) {
  auto stat = read_file(path(pid, "stat"), parse_process_stat);
  if (!stat) return stat.error();
  // While its parent reaps it, a process reads as zeros.
  if (stat->state == 'X') return Error{Errc::gone, std::to_string(pid) + ": being reaped"};
  const auto status = read_file(path(pid, "status"), parse_process_status);
  if (!status) return status.error();
  const auto io = if_readable(path(pid, ""), read_file(path(pid, "io"), parse_process_io));
  if (!io) return io.error();
  const auto open_files = if_readable(path(pid, ""), count_open_files(pid));
  if (!open_files) return open_files.error();
  return Process{*std::move(stat), *status, *io, *open_files};
}

Result<void> ProcessReader::walk(ProcessWalk& walk) {
  walk.processes.clear();
  walk.unread.clear();
  walk.denied = walk.malformed = walk.failed = walk.beyond_limit = 0;
  if (auto listed = list(pids_); !listed) return listed;
  const auto tried = std::min(pids_.size(), max_processes_);
  std::optional<Error> trouble;
  for (std::size_t i = 0; i < tried; ++i) {
    auto process = read(pids_[i]);
    if (process) {
      walk.processes.push_back(*std::move(process));
      continue;
    }
    walk.unread.push_back(pids_[i]);
    count(process.error().code, walk);
    if (!trouble && process.error().code != Errc::gone) trouble = process.error();
  }
  walk.beyond_limit = pids_.size() - tried;
  for (auto i = tried; i < pids_.size(); ++i) walk.unread.push_back(pids_[i]);
  if (!walk.processes.empty()) return {};
  return trouble.value_or(Error{Errc::unsupported, "no process in the proc mount"});
}

Result<std::string> ProcessReader::read_cmdline(std::int32_t pid) {
  const auto text = proc_.read_start(path(pid, "cmdline").data(), kMaxCommandLineBytes);
  if (!text) return explained(pid, text.error());
  return parse_process_cmdline(*text);
}

Result<ProcessStat> ProcessReader::read_stat(std::int32_t pid) {
  return read_part(pid, "stat", parse_process_stat);
}

Result<std::string> ProcessReader::read_wait_channel(std::int32_t pid) {
  return read_part(pid, "wchan", parse_wait_channel);
}

Result<std::vector<ProcessCgroup>> ProcessReader::read_cgroups(std::int32_t pid) {
  return read_part(pid, "cgroup", parse_process_cgroup);
}

Result<ProcessLimits> ProcessReader::read_limits(std::int32_t pid) {
  return read_part(pid, "limits", parse_process_limits);
}

Result<ProcessSmapsRollup> ProcessReader::read_smaps_rollup(std::int32_t pid) {
  return read_part(pid, "smaps_rollup", parse_smaps_rollup);
}

Result<ProcessStatm> ProcessReader::read_statm(std::int32_t pid) {
  return read_part(pid, "statm", parse_process_statm);
}

Result<ProcessThreads> ProcessReader::read_threads(std::int32_t pid, std::size_t max_threads) {
  if (auto listed = list_numbers(path(pid, "task").data(), tids_); !listed) {
    return explained(pid, listed.error());
  }
  ProcessThreads all;
  const auto tried = std::min(tids_.size(), max_threads);
  all.beyond_limit = tids_.size() - tried;
  all.threads.reserve(tried);
  for (std::size_t i = 0; i < tried; ++i) {
    auto thread = read_thread(pid, tids_[i]);
    if (thread) {
      all.threads.push_back(*std::move(thread));
    } else if (thread.error().code != Errc::gone) {
      return thread.error();
    }
  }
  if (all.threads.empty() && max_threads > 0) {
    return Error{Errc::gone, std::to_string(pid) + ": no thread"};
  }
  return all;
}

Result<Thread> ProcessReader::read_thread(std::int32_t pid, std::int32_t tid) {
  auto stat = read_file(thread_path(pid, tid, "stat"), parse_process_stat);
  if (!stat) return stat.error();
  if (stat->state == 'X') return Error{Errc::gone, std::to_string(tid) + ": being reaped"};
  const auto status = read_file(thread_path(pid, tid, "status"), parse_process_status);
  if (!status) return status.error();
  const auto directory = thread_path(pid, tid, "");
  const auto io = if_readable(directory, read_file(thread_path(pid, tid, "io"), parse_process_io));
  if (!io) return io.error();
  const auto channel =
      if_readable(directory, read_file(thread_path(pid, tid, "wchan"), parse_wait_channel));
  if (!channel) return channel.error();
  return Thread{.tid = tid,
                .stat = *std::move(stat),
                .io = *io,
                .voluntary_switches = status->voluntary_switches,
                .nonvoluntary_switches = status->nonvoluntary_switches,
                .wait_channel = *channel};
}

Result<void> ProcessReader::list_numbers(const char* directory,
                                         std::vector<std::int32_t>& numbers) {
  numbers.clear();
  if (auto listed = proc_.list(directory, names_); !listed) return listed;
  for (const auto& name : names_) {
    std::int32_t number = 0;
    if (to_number(name, number) && number > 0) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return {};
}

ProcessReader::Path ProcessReader::path(std::int32_t pid, std::string_view file) {
  Path path{};
  auto* end = std::to_chars(path.begin(), path.end(), pid).ptr;
  *end++ = '/';
  std::copy(file.begin(), file.end(), end);
  return path;
}

ProcessReader::Path ProcessReader::thread_path(std::int32_t pid, std::int32_t tid,
                                               std::string_view file) {
  constexpr std::string_view kTask = "task/";
  auto path = ProcessReader::path(pid, kTask);
  auto* end = std::find(path.begin(), path.end(), '\0');
  end = std::to_chars(end, path.end(), tid).ptr;
  *end++ = '/';
  std::copy(file.begin(), file.end(), end);
  return path;
}

template <class T>
Result<T> ProcessReader::read_file(const Path& path, Result<T> (*parse)(std::string_view)) {
  const auto text = proc_.read(path.data(), Ending::short_read);
  if (!text) return text.error();
  return parse(*text);
}

template <class T>
Result<T> ProcessReader::read_part(std::int32_t pid, std::string_view file,
                                   Result<T> (*parse)(std::string_view)) {
  auto part = read_file(path(pid, file), parse);
  if (!part) return explained(pid, part.error());
  return part;
}

/// What is gone although the process is there was never there.
Error ProcessReader::explained(std::int32_t pid, const Error& error) {
  if (error.code != Errc::gone || !proc_.status(path(pid, "").data())) return error;
  return {Errc::unsupported, error.detail};
}

/// Nothing where we lack the right, or the kernel the file: then the process is there without it.
template <class T>
Result<std::optional<T>> ProcessReader::if_readable(const Path& directory, const Result<T>& part) {
  if (part) return std::optional<T>(*part);
  const auto code = part.error().code;
  const bool is_absent = code == Errc::denied || code == Errc::unsupported ||
                         (code == Errc::gone && proc_.status(directory.data()));
  if (is_absent) return std::optional<T>();
  return part.error();
}

Result<std::uint64_t> ProcessReader::count_open_files(std::int32_t pid) {
  const auto directory = path(pid, "fd");
  if (!directory_size_is_count_) return proc_.count(directory.data());
  const auto status = proc_.status(directory.data());
  if (!status) return status.error();
  return status->size_bytes;
}

}  // namespace procfs
