#include "collectors/signals/reading.hpp"

namespace collectors::signals {
namespace {

std::optional<HostReading::Memory> memory_of(const procfs::MemInfo& meminfo) {
  const auto total_bytes = meminfo.find("MemTotal");
  const auto available_bytes = meminfo.find("MemAvailable");
  if (!total_bytes || !available_bytes) return std::nullopt;
  return HostReading::Memory{*total_bytes, *available_bytes};
}

std::optional<std::uint64_t> dirty_bytes_of(const procfs::MemInfo& meminfo) {
  const auto dirty_bytes = meminfo.find("Dirty");
  const auto writeback_bytes = meminfo.find("Writeback");
  if (!dirty_bytes || !writeback_bytes) return std::nullopt;
  return *dirty_bytes + *writeback_bytes;
}

struct VmstatColumn {
  std::string_view name;
  std::optional<std::uint64_t> HostReading::*value;
};
constexpr std::array kVmstatColumns = {
    VmstatColumn{"pgmajfault", &HostReading::major_faults},
    VmstatColumn{"pswpin", &HostReading::swapped_in_pages},
    VmstatColumn{"pswpout", &HostReading::swapped_out_pages},
};

void take_vmstat(const procfs::VmStat* vmstat, HostReading& reading) {
  for (const auto& column : kVmstatColumns) {
    reading.*column.value = vmstat == nullptr ? std::nullopt : vmstat->find(column.name);
  }
}

}  // namespace

DiskCounters::DiskCounters(const Listed& listed)
    : major(listed.major),
      minor(listed.minor),
      read_sectors(listed.read_sectors),
      written_sectors(listed.written_sectors),
      io_milliseconds(listed.io_milliseconds),
      in_progress(listed.in_progress) {}

bool DiskCounters::follows(const DiskCounters& before) const {
  return major == before.major && minor == before.minor && read_sectors >= before.read_sectors &&
         written_sectors >= before.written_sectors;
}

bool DiskCounters::is_active_since(const DiskCounters& before) const {
  return read_sectors != before.read_sectors || written_sectors != before.written_sectors ||
         io_milliseconds != before.io_milliseconds || in_progress != 0;
}

bool DiskCounters::is_untouched() const {
  return read_sectors == 0 && written_sectors == 0 && io_milliseconds == 0 && in_progress == 0;
}

NetworkCounters::NetworkCounters(const Listed& listed)
    : receive_bytes(listed.receive_bytes),
      receive_packets(listed.receive_packets),
      receive_dropped(listed.receive_dropped),
      transmit_bytes(listed.transmit_bytes),
      transmit_packets(listed.transmit_packets),
      transmit_dropped(listed.transmit_dropped) {}

bool NetworkCounters::follows(const NetworkCounters& before) const {
  return receive_bytes >= before.receive_bytes && receive_packets >= before.receive_packets &&
         transmit_bytes >= before.transmit_bytes && transmit_packets >= before.transmit_packets;
}

bool NetworkCounters::is_active_since(const NetworkCounters& before) const {
  return receive_packets != before.receive_packets || transmit_packets != before.transmit_packets ||
         receive_dropped != before.receive_dropped || transmit_dropped != before.transmit_dropped ||
         receive_bytes != before.receive_bytes || transmit_bytes != before.transmit_bytes;
}

bool NetworkCounters::is_untouched() const {
  return receive_packets == 0 && transmit_packets == 0 && receive_dropped == 0 &&
         transmit_dropped == 0;
}

template <class Parsed>
const Parsed* Files::take(File file, const metrics::Result<Parsed>& reading) {
  auto& state = states_[static_cast<std::size_t>(file)];
  state.was_read = static_cast<bool>(reading);
  if (reading) return &*reading;
  if (reading.error().code != metrics::Errc::unsupported) ++state.failures;
  return nullptr;
}

void Files::read_host(Clock::time_point now, HostReading& reading) {
  auto& files = host_.files;
  reading.ticks_per_second = host_.system.ticks_per_second;
  if (const auto* stat = take(File::stat, files.stat.at(now))) {
    reading.stat = *stat;
  } else {
    reading.stat.reset();
  }
  const auto* meminfo = take(File::meminfo, files.meminfo.at(now));
  reading.memory = meminfo == nullptr ? std::nullopt : memory_of(*meminfo);
  reading.dirty_bytes = meminfo == nullptr ? std::nullopt : dirty_bytes_of(*meminfo);
  take_vmstat(take(File::vmstat, files.vmstat.at(now)), reading);
  const auto pressure_of = [&](File file, procfs::Snapshot<procfs::Pressure>& source) {
    const auto* pressure = take(file, source.at(now));
    return pressure == nullptr ? procfs::Pressure{} : *pressure;
  };
  reading.pressure_cpu = pressure_of(File::pressure_cpu, files.pressure_cpu);
  reading.pressure_memory = pressure_of(File::pressure_memory, files.pressure_memory);
  reading.pressure_io = pressure_of(File::pressure_io, files.pressure_io);
}

const std::vector<procfs::DiskStats>* Files::read_disks(Clock::time_point now) {
  return take(File::diskstats, host_.files.diskstats.at(now));
}

const std::vector<procfs::NetDevice>* Files::read_network(Clock::time_point now) {
  const auto* net_dev = take(File::net_dev, host_.files.net_dev.at(now));
  return net_dev == nullptr ? nullptr : &net_dev->devices;
}

}  // namespace collectors::signals
