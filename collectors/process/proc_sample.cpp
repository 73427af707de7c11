#include "collectors/process/proc_sample.hpp"

#include <algorithm>

namespace collectors {
namespace {

/// Not a count, but another number after each exec: the stack is aligned to 16 bytes.
std::uint32_t execs_of(const procfs::ProcessStat& stat) {
  return static_cast<std::uint32_t>(stat.stack_address.value_or(0) / 16);
}

void raise(ProcessUse& use, Count count, std::uint64_t by) {
  use.counts[static_cast<std::size_t>(count)] += by;
}

void lower(ProcessUse& use, Count count, std::uint64_t by) {
  auto& value = use.counts[static_cast<std::size_t>(count)];
  value -= std::min(value, by);
}

void take_stat(ProcessSample& sample, const procfs::ProcessStat& stat, const ProcUnits& units) {
  sample.use.user_ns = stat.user_ticks * units.nanoseconds_per_tick;
  sample.use.cpu_ns = sample.use.user_ns + stat.system_ticks * units.nanoseconds_per_tick;
  sample.use.set(Count::minor_faults, stat.minor_faults);
  sample.use.set(Count::major_faults, stat.major_faults);
  sample.state = stat.state;
  sample.threads = static_cast<std::uint32_t>(stat.threads);
}

}  // namespace

ProcessSample proc_sample(const procfs::Process& process, const ProcUnits& units) {
  const auto& stat = process.stat;
  ProcessSample sample;
  sample.basics = {.identity = {stat.pid, stat.start_time_ticks},
                   .comm = comm_of(stat.comm),
                   .parent_pid = stat.parent_pid,
                   .user_id = process.status.uid,
                   .execs = execs_of(stat),
                   .is_kernel_thread = stat.is_kernel_thread};
  take_stat(sample, stat, units);
  if (process.io) {
    sample.use.set(Count::read_bytes, process.io->read_bytes);
    sample.use.set(Count::write_bytes, process.io->write_bytes);
  }
  if (stat.threads == 1 && process.status.voluntary_switches) {
    sample.use.set(Count::voluntary_switches, *process.status.voluntary_switches);
    sample.use.set(Count::involuntary_switches, *process.status.nonvoluntary_switches);
  }
  if (stat.virtual_bytes > 0) {
    const auto resident_bytes = process.status.resident_bytes;
    sample.memory = ProcessMemory{resident_bytes, stat.virtual_bytes, process.status.swapped_bytes,
                                  process.status.peak_resident_bytes.value_or(resident_bytes)};
  }
  sample.open_files = process.open_files;
  return sample;
}

bool is_of(const ProcessSample& sample, const procfs::ProcessStat& stat) {
  return stat.start_time_ticks == sample.basics.identity.start_ticks &&
         comm_of(stat.comm) == sample.basics.comm && execs_of(stat) == sample.basics.execs;
}

void update_sample(ProcessSample& sample, const procfs::ProcessStat& stat,
                   const std::optional<procfs::ProcessStatm>& statm, const ProcUnits& units) {
  take_stat(sample, stat, units);
  sample.basics.parent_pid = stat.parent_pid;
  if (stat.virtual_bytes == 0) sample.memory.reset();
  if (!sample.memory || !statm) return;
  sample.memory->virtual_bytes = stat.virtual_bytes;
  sample.memory->resident_bytes = statm->resident_pages * units.page_bytes;
  sample.memory->peak_resident_bytes =
      std::max(sample.memory->peak_resident_bytes, sample.memory->resident_bytes);
}

FamilyReading family_reading(const procfs::ProcessStat& stat) {
  FamilyReading reading;
  reading.identity = {stat.pid, stat.start_time_ticks};
  reading.parent_pid = stat.parent_pid;
  reading.own = {stat.user_ticks, stat.system_ticks, stat.minor_faults, stat.major_faults};
  reading.children = {stat.children_user_ticks, stat.children_system_ticks,
                      stat.children_minor_faults, stat.children_major_faults};
  return reading;
}

void add_children(ProcessSample& sample, const ReapedChildren::Found& found,
                  const ProcUnits& units) {
  const auto [user_ticks, system_ticks, minor_faults, major_faults] = found.unseen;
  sample.use.user_ns += user_ticks * units.nanoseconds_per_tick;
  sample.use.cpu_ns += (user_ticks + system_ticks) * units.nanoseconds_per_tick;
  raise(sample.use, Count::minor_faults, minor_faults);
  raise(sample.use, Count::major_faults, major_faults);
  lower(sample.use, Count::read_bytes, found.children[0]);
  lower(sample.use, Count::write_bytes, found.children[1]);
}

}  // namespace collectors
