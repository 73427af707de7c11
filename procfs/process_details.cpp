#include "procfs/process_details.hpp"

#include "procfs/text.hpp"

namespace procfs {
using metrics::Result;

Result<ProcessLimits> parse_process_limits(std::string_view text) {
  constexpr std::string_view kOpenFiles = "Max open files ";
  while (!text.empty()) {
    const auto line = take_line(text);
    if (!line.starts_with(kOpenFiles)) continue;
    auto rest = line.substr(kOpenFiles.size());
    const auto soft = take_field(rest);
    if (soft == "unlimited") return ProcessLimits{};
    std::uint64_t open_files = 0;
    if (!to_number(soft, open_files)) return malformed("limits of a process", line);
    return ProcessLimits{open_files};
  }
  return malformed("limits of a process", "no line of open files");
}

Result<ProcessSmapsRollup> parse_smaps_rollup(std::string_view text) {
  std::optional<std::uint64_t> proportional_bytes;
  std::optional<std::uint64_t> swapped_bytes;
  while (!text.empty()) {
    const auto line = take_line(text);
    auto rest = line;
    const auto key = take_field(rest);
    if ((key == "Pss:" && !to_bytes(rest, proportional_bytes)) ||
        (key == "SwapPss:" && !to_bytes(rest, swapped_bytes))) {
      return malformed("smaps_rollup of a process", line);
    }
  }
  if (!proportional_bytes || !swapped_bytes) {
    return malformed("smaps_rollup of a process", "a line is missing");
  }
  return ProcessSmapsRollup{*proportional_bytes, *swapped_bytes};
}

Result<ProcessStatm> parse_process_statm(std::string_view text) {
  ProcessStatm statm;
  auto rest = take_line(text);
  const auto line = rest;
  if (!take_number(rest, statm.virtual_pages) || !take_number(rest, statm.resident_pages)) {
    return malformed("statm of a process", line);
  }
  return statm;
}

}  // namespace procfs
