#include "collectors/process/proc_sample.hpp"

namespace collectors {

ProcessSample proc_sample(const procfs::Process& process, const ProcUnits& units) {
  const auto& stat = process.stat;
  ProcessSample sample;
  sample.basics = {.identity = {stat.pid, stat.start_time_ticks},
                   .comm = comm_of(stat.comm),
                   .parent_pid = stat.parent_pid,
                   .user_id = process.status.uid,
                   .is_kernel_thread = stat.is_kernel_thread};
  sample.use.user_ns = stat.user_ticks * units.nanoseconds_per_tick;
  sample.use.cpu_ns = sample.use.user_ns + stat.system_ticks * units.nanoseconds_per_tick;
  sample.use.set(Count::minor_faults, stat.minor_faults);
  sample.use.set(Count::major_faults, stat.major_faults);
  if (process.io) {
    sample.use.set(Count::read_bytes, process.io->read_bytes);
    sample.use.set(Count::write_bytes, process.io->write_bytes);
  }
  sample.state = stat.state;
  sample.threads = static_cast<std::uint32_t>(stat.threads);
  if (stat.virtual_bytes > 0) {
    const auto resident_bytes = process.status.resident_bytes;
    sample.memory = ProcessMemory{resident_bytes, stat.virtual_bytes, process.status.swapped_bytes,
                                  process.status.peak_resident_bytes.value_or(resident_bytes)};
  }
  sample.open_files = process.open_files;
  return sample;
}

}  // namespace collectors
