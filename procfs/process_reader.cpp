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

}  // namespace

ProcessReader::ProcessReader(FileReader& proc, std::size_t max_processes)
    : proc_(proc),
      max_processes_(max_processes),
      directory_size_is_count_(has_counted_directories(proc)) {}

Result<void> ProcessReader::list(std::vector<std::int32_t>& pids) {
  pids.clear();
  if (auto listed = proc_.list(".", names_); !listed) return listed;
  for (const auto& name : names_) {
    std::int32_t pid = 0;
    if (to_number(name, pid) && pid > 0) pids.push_back(pid);
  }
  std::sort(pids.begin(), pids.end());
  return {};
}

Result<Process> ProcessReader::read(std::int32_t pid) {
  auto stat = read_file(pid, "stat", parse_process_stat);
  if (!stat) return stat.error();
  // While its parent reaps it, a process reads as zeros.
  if (stat->state == 'X') return Error{Errc::gone, std::to_string(pid) + ": being reaped"};
  const auto status = read_file(pid, "status", parse_process_status);
  if (!status) return status.error();
  const auto io = if_readable(pid, read_file(pid, "io", parse_process_io));
  if (!io) return io.error();
  const auto open_files = if_readable(pid, count_open_files(pid));
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

ProcessReader::Path ProcessReader::path(std::int32_t pid, std::string_view file) {
  Path path{};
  auto* end = std::to_chars(path.begin(), path.end(), pid).ptr;
  *end++ = '/';
  std::copy(file.begin(), file.end(), end);
  return path;
}

template <class T>
Result<T> ProcessReader::read_file(std::int32_t pid, std::string_view file,
                                   Result<T> (*parse)(std::string_view)) {
  const auto text = proc_.read(path(pid, file).data(), Ending::short_read);
  if (!text) return text.error();
  return parse(*text);
}

/// Nothing where we lack the right, or the kernel the file: then the process is there without it.
template <class T>
Result<std::optional<T>> ProcessReader::if_readable(std::int32_t pid, const Result<T>& part) {
  if (part) return std::optional<T>(*part);
  const auto code = part.error().code;
  const bool is_absent = code == Errc::denied || code == Errc::unsupported ||
                         (code == Errc::gone && proc_.status(path(pid, "").data()));
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
