#include "bpf/process_table.hpp"

#include <bpf/bpf.h>

#include <algorithm>
#include <bit>
#include <system_error>
#include <tuple>

namespace bpf {

using metrics::Errc;
using metrics::Error;
using metrics::Result;

namespace {

// A process that sleeps may lose memory, and then a peak is over, or be moved to another cgroup.
constexpr std::uint32_t kMostKeptWalks = 9;

}  // namespace

/// The number of processes of that part; the table has the first `capacity_` of them.
Result<std::uint32_t> ProcessTable::run(Detail detail, std::uint32_t parts, std::uint32_t part) {
  const int program =
      detail == Detail::complete ? descriptors_.complete_program : descriptors_.counters_program;
  const bool keeps = is_in_order_ && parts == 1 && kept_walks_ < kMostKeptWalks;
  kept_walks_ = keeps ? kept_walks_ + 1 : 0;
  is_in_order_ = false;
  WalkRequest request{.parts = parts, .part = part, .keeps_unchanged = keeps, .found = 0};
  // The kernel writes the answer back over the question.
  LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = &request, .ctx_size_in = sizeof request);
  if (const int error = bpf_prog_test_run_opts(program, &run); error != 0) {
    return Error{Errc::io, "running a BPF program: " + std::generic_category().message(-error)};
  }
  return request.found;
}

Result<std::span<const ProcessRecord>> ProcessTable::table(std::uint32_t count) {
  const auto whole_bytes = std::size_t{capacity_} * sizeof(ProcessRecord);
  const auto needed_bytes = count * sizeof(ProcessRecord);
  if (mapping_.size_bytes() < std::max<std::size_t>(needed_bytes, 1)) {
    // Some more than needed, as every mapped page is resident, and mapping costs a call.
    const auto wanted_bytes = std::clamp(needed_bytes + needed_bytes / 4, page_bytes(),
                                         std::max(whole_bytes, page_bytes()));
    auto mapping = Mapping::make(descriptors_.map, 0, wanted_bytes, Mapping::Access::read);
    if (!mapping) return mapping.error();
    mapping_ = *std::move(mapping);
  }
  return std::span(static_cast<const ProcessRecord*>(mapping_.data()), count);
}

/// False when the table was too small for a part. Which part a process is in does not depend on
/// the others, so each that lives all the while is gathered once, whoever comes and goes.
Result<bool> ProcessTable::gather(Detail detail, std::uint32_t parts) {
  gathered_.clear();
  for (std::uint32_t part = 0; part < parts && gathered_.size() < max_processes_; ++part) {
    const auto found = run(detail, parts, part);
    if (!found) return found.error();
    if (*found > capacity_) return false;
    const auto records = table(*found);
    if (!records) return records.error();
    const auto room = max_processes_ - gathered_.size();
    const auto fitting = records->first(std::min(records->size(), room));
    gathered_.insert(gathered_.end(), fitting.begin(), fitting.end());
  }
  std::sort(gathered_.begin(), gathered_.end(), [](const auto& one, const auto& other) {
    return std::tie(one.start_boottime_ns, one.pid) < std::tie(other.start_boottime_ns, other.pid);
  });
  return true;
}

Result<std::span<const ProcessRecord>> ProcessTable::walk(Detail detail) {
  constexpr std::uint32_t kMostParts = 1U << 16U;
  left_out_ = 0;
  const auto found = run(detail, 1, 0);
  if (!found) return found.error();
  is_in_order_ = *found <= std::min<std::size_t>(capacity_, max_processes_);
  if (is_in_order_) return table(*found);
  // A power of two, so that who is left out hardly ever changes.
  for (auto parts = std::bit_ceil(*found / capacity_ + 1); parts <= kMostParts; parts *= 2) {
    const auto is_whole = gather(detail, parts);
    if (!is_whole) return is_whole.error();
    if (!*is_whole) continue;
    left_out_ = *found - std::min<std::size_t>(*found, gathered_.size());
    if (gathered_.size() < max_processes_) left_out_ = 0;  // They ended meanwhile.
    return std::span<const ProcessRecord>(gathered_);
  }
  return Error{Errc::io, "more processes than the BPF table can hold in any number of parts"};
}

}  // namespace bpf
