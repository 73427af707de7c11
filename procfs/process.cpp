#include "procfs/process.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "procfs/text.hpp"

namespace procfs {
namespace {

using metrics::Result;

struct Column {
  int number;  // as in proc(5), which counts from 1
  std::uint64_t ProcessStat::*value;
};
constexpr int kParentColumn = 4;
constexpr int kFlagsColumn = 9;
constexpr int kStackColumn = 28;
constexpr std::uint64_t kKernelThread = 0x00200000;  // PF_KTHREAD of the kernel's linux/sched.h
constexpr std::array kColumns = {
    Column{10, &ProcessStat::minor_faults},
    Column{11, &ProcessStat::children_minor_faults},
    Column{12, &ProcessStat::major_faults},
    Column{13, &ProcessStat::children_major_faults},
    Column{14, &ProcessStat::user_ticks},
    Column{15, &ProcessStat::system_ticks},
    Column{16, &ProcessStat::children_user_ticks},
    Column{17, &ProcessStat::children_system_ticks},
    Column{20, &ProcessStat::threads},
    Column{22, &ProcessStat::start_time_ticks},
    Column{23, &ProcessStat::virtual_bytes},
};

bool parse_columns(std::string_view text, ProcessStat& stat) {
  const auto state = take_field(text);
  if (state.size() != 1) return false;
  stat.state = state.front();
  if (!to_number(take_field(text), stat.parent_pid)) return false;
  int number = kParentColumn;
  while (++number < kFlagsColumn) take_field(text);
  std::uint64_t flags = 0;
  if (!take_number(text, flags)) return false;
  stat.is_kernel_thread = (flags & kKernelThread) != 0;
  for (const auto& column : kColumns) {
    while (++number < column.number) take_field(text);
    if (!take_number(text, stat.*column.value)) return false;
  }
  while (++number < kStackColumn) take_field(text);
  std::uint64_t stack_address = 0;
  if (take_number(text, stack_address) && stack_address != 0) stat.stack_address = stack_address;
  return true;
}

template <class T>
bool parse_number(std::string_view text, std::optional<T>& out) {
  T value = 0;
  if (!take_number(text, value)) return false;
  out = value;
  return true;
}

/// Behind the real one.
bool parse_effective_user(std::string_view users, std::optional<std::uint32_t>& out) {
  std::uint32_t real = 0;
  return take_number(users, real) && parse_number(users, out);
}

/// The two lines are near the end, far behind all others that we read: looking for them costs less
/// than taking every line.
bool parse_switches(std::string_view text, ProcessStatus& status) {
  constexpr std::string_view kVoluntary = "voluntary_ctxt_switches:";
  constexpr std::string_view kNonvoluntary = "nonvoluntary_ctxt_switches:";
  text.remove_prefix(std::min(text.find(kVoluntary), text.size()));
  if (text.empty()) return true;
  auto line = take_line(text);
  take_field(line);
  if (!parse_number(line, status.voluntary_switches)) return false;
  line = take_line(text);
  return take_field(line) == kNonvoluntary && parse_number(line, status.nonvoluntary_switches);
}

}  // namespace

Result<ProcessStat> parse_process_stat(std::string_view text) {
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return malformed("stat of a process", text);
  }
  ProcessStat stat;
  auto before = text.substr(0, open);
  if (!to_number(take_field(before), stat.pid) || !take_field(before).empty() ||
      !parse_columns(text.substr(close + 1), stat)) {
    return malformed("stat of a process", text);
  }
  stat.comm = text.substr(open + 1, close - open - 1);
  return stat;
}

Result<ProcessStatus> parse_process_status(std::string_view text) {
  ProcessStatus status;
  std::optional<std::uint64_t> resident_bytes;
  std::optional<std::uint64_t> swapped_bytes;
  bool has_threads = false;
  // The kernel escapes newlines of the name here: no process can write itself a line.
  while (!text.empty() && !has_threads) {
    const auto line = take_line(text);
    auto rest = line;
    const auto key = take_field(rest);
    has_threads = key == "Threads:";
    if ((key == "Uid:" && !parse_effective_user(rest, status.uid)) ||
        (key == "VmHWM:" && !to_bytes(rest, status.peak_resident_bytes)) ||
        (key == "VmRSS:" && !to_bytes(rest, resident_bytes)) ||
        (key == "VmSwap:" && !to_bytes(rest, swapped_bytes))) {
      return malformed("status of a process", line);
    }
  }
  if (!has_threads) return malformed("status of a process", "no Threads line");
  if (resident_bytes.has_value() != swapped_bytes.has_value()) {
    return malformed("status of a process", "one of VmRSS and VmSwap is missing");
  }
  if (status.peak_resident_bytes && !resident_bytes) {
    return malformed("status of a process", "VmHWM without VmRSS");
  }
  if (!parse_switches(text, status)) return malformed("status of a process", "ctxt_switches");
  status.resident_bytes = resident_bytes.value_or(0);
  status.swapped_bytes = swapped_bytes.value_or(0);
  return status;
}

Result<ProcessIo> parse_process_io(std::string_view text) {
  ProcessIo io;
  bool has_read = false;
  bool has_write = false;
  while (!text.empty()) {
    const auto line = take_line(text);
    auto rest = line;
    const auto key = take_field(rest);
    if (key == "read_bytes:") {
      has_read = take_number(rest, io.read_bytes);
      if (!has_read) return malformed("io of a process", line);
    } else if (key == "write_bytes:") {
      has_write = take_number(rest, io.write_bytes);
      if (!has_write) return malformed("io of a process", line);
    }
  }
  if (!has_read || !has_write) return malformed("io of a process", "a line is missing");
  return io;
}

}  // namespace procfs
