// What one tick found in the kernel's files.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "collectors/collector.hpp"

namespace collectors::signals {

/// The files that signals come from.
enum class File : std::uint8_t {
  stat,
  meminfo,
  vmstat,
  pressure_cpu,
  pressure_memory,
  pressure_io,
  diskstats,
  net_dev,
};
/// Paths below /proc, by File.
inline constexpr std::array<std::string_view, 8> kFileNames = {
    "stat",        "meminfo",   "vmstat", "pressure/cpu", "pressure/memory",
    "pressure/io", "diskstats", "net/dev"};

/// What there is once on a host. A part whose file could not be read, or that the kernel does not
/// have, is empty.
struct HostReading {
  struct Memory {
    std::uint64_t total_bytes = 0;
    std::uint64_t available_bytes = 0;
  };

  double ticks_per_second = 0;
  std::optional<procfs::Stat> stat;
  std::optional<Memory> memory;
  std::optional<std::uint64_t> dirty_bytes;  ///< And under writeback.
  std::optional<std::uint64_t> major_faults;
  std::optional<std::uint64_t> swapped_in_pages;
  std::optional<std::uint64_t> swapped_out_pages;
  procfs::Pressure pressure_cpu, pressure_memory, pressure_io;
};

/// What a disk has counted.
struct DiskCounters {
  using Listed = procfs::DiskStats;
  static constexpr bool kIsKnownByNameOnly = false;

  unsigned major = 0;
  unsigned minor = 0;
  std::uint64_t read_sectors = 0;
  std::uint64_t written_sectors = 0;
  std::uint64_t io_milliseconds = 0;  ///< Of 32 bits: starts again at 0 after 49.7 days.
  std::uint64_t in_progress = 0;      ///< Now.

  explicit DiskCounters(const Listed& listed);

  /// True when this can be a later reading of the same disk.
  [[nodiscard]] bool follows(const DiskCounters& before) const;
  /// True when it did anything since, or is at it.
  [[nodiscard]] bool is_active_since(const DiskCounters& before) const;
  /// True when it has never done anything.
  [[nodiscard]] bool is_untouched() const;
  /// All that it has read and written, in a unit of its own.
  [[nodiscard]] std::uint64_t work() const { return read_sectors + written_sectors; }
};

/// What a network device has counted.
struct NetworkCounters {
  using Listed = procfs::NetDevice;
  static constexpr bool kIsKnownByNameOnly = true;

  std::uint64_t receive_bytes = 0;
  std::uint64_t receive_packets = 0;
  std::uint64_t receive_dropped = 0;
  std::uint64_t transmit_bytes = 0;
  std::uint64_t transmit_packets = 0;
  std::uint64_t transmit_dropped = 0;

  explicit NetworkCounters(const Listed& listed);

  [[nodiscard]] bool follows(const NetworkCounters& before) const;
  [[nodiscard]] bool is_active_since(const NetworkCounters& before) const;
  [[nodiscard]] bool is_untouched() const;
  [[nodiscard]] std::uint64_t work() const { return receive_bytes + transmit_bytes; }
};

/// Reads the files through the snapshots that all collectors share, and knows how that went.
class Files {
 public:
  explicit Files(const Host& host) : host_(host) {}

  /// Fills `reading`, whose memory it uses again.
  void read_host(Clock::time_point now, HostReading& reading);
  /// Null when the file could not be read. The names in it are valid until the next `now`.
  const std::vector<procfs::DiskStats>* read_disks(Clock::time_point now);
  const std::vector<procfs::NetDevice>* read_network(Clock::time_point now);

  /// Whether the last reading went well.
  [[nodiscard]] bool was_read(File file) const { return state_of(file).was_read; }
  /// Readings that failed, but for those of a file that this kernel does not have.
  [[nodiscard]] std::uint64_t failures(File file) const { return state_of(file).failures; }

 private:
  struct State {
    bool was_read = false;
    std::uint64_t failures = 0;
  };

  [[nodiscard]] const State& state_of(File file) const {
    return states_[static_cast<std::size_t>(file)];
  }
  template <class Parsed>
  const Parsed* take(File file, const metrics::Result<Parsed>& reading);

  Host host_;
  std::array<State, kFileNames.size()> states_;
};

}  // namespace collectors::signals
