#pragma once

#include <vector>

#include "procfs/diskstats.hpp"
#include "procfs/file_reader.hpp"
#include "procfs/meminfo.hpp"
#include "procfs/net_dev.hpp"
#include "procfs/pressure.hpp"
#include "procfs/snapshot.hpp"
#include "procfs/stat.hpp"
#include "procfs/vmstat.hpp"

namespace procfs {

/// The files of /proc that more than one collector reads. `proc` must outlive it.
struct HostFiles {
  explicit HostFiles(const FileReader& proc)
      : stat(proc.keep("stat", Ending::short_read), parse_stat),
        meminfo(proc.keep("meminfo", Ending::short_read), parse_meminfo),
        vmstat(proc.keep("vmstat", Ending::short_lines), parse_vmstat),
        diskstats(proc.keep("diskstats"), parse_diskstats),
        net_dev(proc.keep("net/dev", Ending::short_read), parse_net_dev),
        pressure_cpu(proc.keep("pressure/cpu", Ending::short_read), parse_pressure),
        pressure_io(proc.keep("pressure/io", Ending::short_read), parse_pressure),
        pressure_memory(proc.keep("pressure/memory", Ending::short_read), parse_pressure) {}

  Snapshot<Stat> stat;
  Snapshot<MemInfo> meminfo;
  Snapshot<VmStat> vmstat;
  Snapshot<std::vector<DiskStats>> diskstats;
  Snapshot<NetDev> net_dev;
  Snapshot<Pressure> pressure_cpu;
  Snapshot<Pressure> pressure_io;
  Snapshot<Pressure> pressure_memory;
};

}  // namespace procfs
