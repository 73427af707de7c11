#include "procfs/diskstats.hpp"

#include <array>

#include "procfs/text.hpp"

namespace procfs {
namespace {

// In file order.
constexpr std::array kDiskColumns = {
    &DiskStats::reads_completed,
    &DiskStats::reads_merged,
    &DiskStats::read_sectors,
    &DiskStats::read_milliseconds,
    &DiskStats::writes_completed,
    &DiskStats::writes_merged,
    &DiskStats::written_sectors,
    &DiskStats::write_milliseconds,
    &DiskStats::in_progress,
    &DiskStats::io_milliseconds,
    &DiskStats::weighted_io_milliseconds,
};
constexpr std::array kDiscardColumns = {&DiskDiscards::completed, &DiskDiscards::merged,
                                        &DiskDiscards::sectors, &DiskDiscards::milliseconds};
constexpr std::array kFlushColumns = {&DiskFlushes::completed, &DiskFlushes::milliseconds};

template <class Part, std::size_t size>
bool parse_columns(std::string_view& line, const std::array<std::uint64_t Part::*, size>& columns,
                   Part& part) {
  for (const auto column : columns) {
    if (!take_number(line, part.*column)) return false;
  }
  return true;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t") == std::string_view::npos;
}

bool parse_device(std::string_view line, DiskStats& device) {
  if (!take_number(line, device.major)) return false;
  if (!take_number(line, device.minor)) return false;
  device.name = take_field(line);
  if (!parse_columns(line, kDiskColumns, device)) return false;
  if (is_blank(line)) return true;
  if (!parse_columns(line, kDiscardColumns, device.discards.emplace())) return false;
  if (is_blank(line)) return true;
  return parse_columns(line, kFlushColumns, device.flushes.emplace());
}

}  // namespace

metrics::Result<std::vector<DiskStats>> parse_diskstats(std::string_view text) {
  constexpr std::size_t kUsualDevices = 16;
  std::vector<DiskStats> devices;
  devices.reserve(kUsualDevices);
  while (!text.empty()) {
    const auto line = take_line(text);
    if (!parse_device(line, devices.emplace_back())) return malformed("diskstats", line);
  }
  return devices;
}

}  // namespace procfs
