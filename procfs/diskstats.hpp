#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "metrics/result.hpp"

namespace procfs {

/// The unit of all sectors in /proc/diskstats, whatever the device's own sectors are.
inline constexpr std::uint64_t kDiskSectorBytes = 512;

struct DiskDiscards {
  std::uint64_t completed = 0;
  std::uint64_t merged = 0;
  std::uint64_t sectors = 0;
  std::uint64_t milliseconds = 0;
};

struct DiskFlushes {
  std::uint64_t completed = 0;
  std::uint64_t milliseconds = 0;
};

/// A line of /proc/diskstats: what a disk or partition counted since it was made, see
/// Documentation/admin-guide/iostats.rst of the kernel. The times of reads, writes, discards and
/// flushes are sums over requests that ran side by side. The kernel shows all times in 32 bits:
/// they start again at 0 after 49.7 days.
struct DiskStats {
  unsigned major = 0;
  unsigned minor = 0;
  std::string_view name;  ///< A view into the text.
  std::uint64_t reads_completed = 0;
  std::uint64_t reads_merged = 0;
  std::uint64_t read_sectors = 0;
  std::uint64_t read_milliseconds = 0;
  std::uint64_t writes_completed = 0;
  std::uint64_t writes_merged = 0;
  std::uint64_t written_sectors = 0;
  std::uint64_t write_milliseconds = 0;
  std::uint64_t in_progress = 0;               ///< Now; the only column that goes down.
  std::uint64_t io_milliseconds = 0;           ///< Time with at least one request in progress.
  std::uint64_t weighted_io_milliseconds = 0;  ///< The same, times the requests in progress.
  std::optional<DiskDiscards> discards;        ///< Since Linux 4.18.
  std::optional<DiskFlushes> flushes;          ///< Since Linux 5.5; 0 for a partition.
};

/// Parses the whole text, which must outlive the result: the devices in file order, of which there
/// may be none. Fails with `malformed` when a line is not two numbers, a name and 11, 15 or 17
/// numbers; columns after those are passed over.
metrics::Result<std::vector<DiskStats>> parse_diskstats(std::string_view text);

}  // namespace procfs
