#pragma once

#include "procfs/file_reader.hpp"
#include "procfs/meminfo.hpp"
#include "procfs/snapshot.hpp"
#include "procfs/stat.hpp"

namespace procfs {

/// The files of /proc that more than one collector reads. `proc` must outlive it.
struct HostFiles {
  explicit HostFiles(const FileReader& proc)
      : stat(proc.keep("stat"), parse_stat), meminfo(proc.keep("meminfo"), parse_meminfo) {}

  Snapshot<Stat> stat;
  Snapshot<MemInfo> meminfo;
};

}  // namespace procfs
