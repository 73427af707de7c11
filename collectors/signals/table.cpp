#include "collectors/signals/table.hpp"

#include <algorithm>
#include <array>

#include "collectors/signals/cpu.hpp"

namespace collectors::signals {
namespace {

using metrics::Label;
using procfs::Pressure;
using enum Form;

using Value = std::optional<double>;
using Counter = std::optional<std::uint64_t>;

// Ratios are finer where it gets tight; of a stall a little is trouble already.
constexpr std::array kRatioEdges = {0.05, 0.1, 0.2,  0.3, 0.4,  0.5,  0.6,
                                    0.7,  0.8, 0.85, 0.9, 0.95, 0.99, 1.0};
constexpr std::array kStallEdges = {0.01, 0.02, 0.05, 0.1, 0.2,  0.3,  0.4, 0.5,
                                    0.6,  0.7,  0.8,  0.9, 0.95, 0.99, 1.0};
constexpr std::array kTaskEdges = {0.0,  1.0,  2.0,   4.0,   8.0,   16.0,
                                   32.0, 64.0, 128.0, 256.0, 512.0, 1024.0};
// A device has a histogram of its own, so these are few.
constexpr std::array kDeviceRatioEdges = {0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0};
// From a trickle to the speeds of links: 10 and 100 Mbit/s, 1, 2.5, 10, 25 and 100 Gbit/s.
constexpr std::array kLinkEdges = {1e4,     1e5,    1.25e6,  12.5e6, 125e6,
                                   312.5e6, 1.25e9, 3.125e9, 12.5e9};
constexpr std::size_t kMaxDeviceBuckets = 10;
static_assert(std::max({kRatioEdges.size(), kStallEdges.size(), kTaskEdges.size()}) < kMaxBuckets);
static_assert(std::max(kDeviceRatioEdges.size(), kLinkEdges.size()) < kMaxDeviceBuckets);

double clamped_ratio(double ratio) { return std::clamp(ratio, 0.0, 1.0); }

Value rate(Counter before, Counter now, double seconds) {
  if (!before || !now || *now < *before) return std::nullopt;
  return static_cast<double>(*now - *before) / seconds;
}

Value level(std::optional<std::uint64_t> now) {
  return now ? Value(static_cast<double>(*now)) : std::nullopt;
}

template <double procfs::CpuShares::*share>
Value cpu_share(const HostReading& before, const HostReading& now, double seconds) {
  const auto shares = cpu_shares(before, now, seconds);
  return shares ? Value(*shares.*share) : std::nullopt;
}

template <std::uint64_t procfs::Stat::*counter>
Value stat_rate(const HostReading& before, const HostReading& now, double seconds) {
  if (!before.stat || !now.stat) return std::nullopt;
  return rate(*before.stat.*counter, *now.stat.*counter, seconds);
}

template <std::uint64_t procfs::Stat::*count>
Value stat_level(const HostReading& /*before*/, const HostReading& now, double /*seconds*/) {
  return now.stat ? level(*now.stat.*count) : std::nullopt;
}

Value memory_used(const HostReading& /*before*/, const HostReading& now, double /*seconds*/) {
  // In an LXC container the two may be of different hosts.
  const auto& memory = now.memory;
  if (!memory || memory->total_bytes == 0 || memory->available_bytes > memory->total_bytes) {
    return std::nullopt;
  }
  return static_cast<double>(memory->total_bytes - memory->available_bytes) /
         static_cast<double>(memory->total_bytes);
}

Value memory_available(const HostReading& /*before*/, const HostReading& now, double /*seconds*/) {
  return now.memory ? level(now.memory->available_bytes) : std::nullopt;
}

Value memory_dirty(const HostReading& /*before*/, const HostReading& now, double /*seconds*/) {
  return level(now.dirty_bytes);
}

bool has_memory(const HostReading& reading) { return reading.memory.has_value(); }

template <Counter HostReading::*counter>
Value host_rate(const HostReading& before, const HostReading& now, double seconds) {
  return rate(before.*counter, now.*counter, seconds);
}

template <Pressure HostReading::*resource, Counter Pressure::*kind>
Value stalled(const HostReading& before, const HostReading& now, double seconds) {
  constexpr double kMicrosecondsPerSecond = 1e6;
  const auto microseconds = rate(before.*resource.*kind, now.*resource.*kind, seconds);
  return microseconds ? Value(clamped_ratio(*microseconds / kMicrosecondsPerSecond)) : std::nullopt;
}

template <Pressure HostReading::*resource, Counter Pressure::*kind>
bool has_pressure(const HostReading& reading) {
  return (reading.*resource.*kind).has_value();
}

constexpr auto kSome = &Pressure::some_microseconds;
constexpr auto kFull = &Pressure::full_microseconds;

using PressureLabels = std::array<Label, 2>;
constexpr PressureLabels labels_of(std::string_view resource, std::string_view kind) {
  return {{{"resource", resource}, {"kind", kind}}};
}
constexpr auto kCpuSome = labels_of("cpu", "some");
constexpr auto kCpuFull = labels_of("cpu", "full");
constexpr auto kMemorySome = labels_of("memory", "some");
constexpr auto kMemoryFull = labels_of("memory", "full");
constexpr auto kIoSome = labels_of("io", "some");
constexpr auto kIoFull = labels_of("io", "full");

template <Pressure HostReading::*resource, Counter Pressure::*kind>
constexpr HostSignal pressure(File file, const PressureLabels& labels) {
  return {{"pressure_ratio",
           "Time share in which some, or all, tasks waited for the resource, from /proc/pressure.",
           histogram_and_peak, kStallEdges, stalled<resource, kind>},
          file,
          labels,
          has_pressure<resource, kind>};
}

constexpr std::array kHostSignals = {
    HostSignal{{"cpu_busy_ratio", "Busy share of all CPUs, from /proc/stat.", histogram_and_peak,
                kRatioEdges, cpu_share<&procfs::CpuShares::busy>},
               File::stat},
    HostSignal{{"cpu_busiest_ratio", "Busy share of the busiest CPU, from /proc/stat.",
                histogram_and_peak, kRatioEdges, cpu_busiest},
               File::stat},
    HostSignal{{"cpu_iowait_ratio", "Share of CPU time idle with I/O under way, from /proc/stat.",
                histogram_and_peak, kStallEdges, cpu_share<&procfs::CpuShares::iowait>},
               File::stat},
    HostSignal{{"cpu_steal_ratio",
                "Share of CPU time that the hypervisor gave to others, from /proc/stat.",
                histogram_and_peak, kStallEdges, cpu_share<&procfs::CpuShares::steal>},
               File::stat},
    HostSignal{{"tasks_runnable",
                "Tasks that run or could run, this exporter's among them, from /proc/stat "
                "(procs_running).",
                histogram_and_peak, kTaskEdges, stat_level<&procfs::Stat::processes_running>},
               File::stat},
    HostSignal{{"tasks_blocked", "Tasks that wait for I/O, from /proc/stat (procs_blocked).",
                histogram_and_peak, kTaskEdges, stat_level<&procfs::Stat::processes_blocked>},
               File::stat},
    HostSignal{{"context_switches_per_second",
                "Context switches, from /proc/stat (ctxt).",
                peak,
                {},
                stat_rate<&procfs::Stat::context_switches>},
               File::stat},
    HostSignal{{"forks_per_second",
                "Tasks made, from /proc/stat (processes).",
                peak,
                {},
                stat_rate<&procfs::Stat::forks>},
               File::stat},
    HostSignal{{"memory_used_ratio",
                "Share of memory that is not available, from /proc/meminfo (MemAvailable).",
                histogram_and_peak, kRatioEdges, memory_used},
               File::meminfo,
               {},
               has_memory},
    HostSignal{{"memory_available_bytes",
                "Memory that could be had without swapping, from /proc/meminfo (MemAvailable).",
                lowest,
                {},
                memory_available},
               File::meminfo},
    HostSignal{{"memory_dirty_bytes",
                "Memory that waits to be written or is being written to disk, from /proc/meminfo "
                "(Dirty, Writeback).",
                peak,
                {},
                memory_dirty},
               File::meminfo},
    HostSignal{{"major_faults_per_second",
                "Page faults that needed the disk, from /proc/vmstat (pgmajfault).",
                peak,
                {},
                host_rate<&HostReading::major_faults>},
               File::vmstat},
    HostSignal{{"swap_in_pages_per_second",
                "Pages swapped in, from /proc/vmstat (pswpin).",
                peak,
                {},
                host_rate<&HostReading::swapped_in_pages>},
               File::vmstat},
    HostSignal{{"swap_out_pages_per_second",
                "Pages swapped out, from /proc/vmstat (pswpout).",
                peak,
                {},
                host_rate<&HostReading::swapped_out_pages>},
               File::vmstat},
    pressure<&HostReading::pressure_cpu, kSome>(File::pressure_cpu, kCpuSome),
    pressure<&HostReading::pressure_cpu, kFull>(File::pressure_cpu, kCpuFull),
    pressure<&HostReading::pressure_memory, kSome>(File::pressure_memory, kMemorySome),
    pressure<&HostReading::pressure_memory, kFull>(File::pressure_memory, kMemoryFull),
    pressure<&HostReading::pressure_io, kSome>(File::pressure_io, kIoSome),
    pressure<&HostReading::pressure_io, kFull>(File::pressure_io, kIoFull),
};

Value disk_busy(const DiskCounters& before, const DiskCounters& now, double seconds) {
  constexpr double kMillisecondsPerSecond = 1000;
  const auto busy = rate(before.io_milliseconds, now.io_milliseconds, seconds);
  return busy ? Value(clamped_ratio(*busy / kMillisecondsPerSecond)) : std::nullopt;
}

template <std::uint64_t DiskCounters::*sectors>
Value disk_bytes(const DiskCounters& before, const DiskCounters& now, double seconds) {
  const auto sector_rate = rate(before.*sectors, now.*sectors, seconds);
  if (!sector_rate) return std::nullopt;
  return *sector_rate * static_cast<double>(procfs::kDiskSectorBytes);
}

Value disk_in_flight(const DiskCounters& /*before*/, const DiskCounters& now, double /*seconds*/) {
  return level(now.in_progress);
}

constexpr std::array kDiskSignals = {
    Signal<DiskCounters>{"disk_busy_ratio",
                         "Share of the time with a request in progress, from /proc/diskstats.",
                         histogram_and_peak, kDeviceRatioEdges, disk_busy},
    Signal<DiskCounters>{"disk_read_bytes_per_second",
                         "Bytes read, from /proc/diskstats.",
                         peak,
                         {},
                         disk_bytes<&DiskCounters::read_sectors>},
    Signal<DiskCounters>{"disk_written_bytes_per_second",
                         "Bytes written, from /proc/diskstats.",
                         peak,
                         {},
                         disk_bytes<&DiskCounters::written_sectors>},
    Signal<DiskCounters>{
        "disk_in_flight", "Requests in progress, from /proc/diskstats.", peak, {}, disk_in_flight},
};

template <std::uint64_t NetworkCounters::*counter>
Value network_rate(const NetworkCounters& before, const NetworkCounters& now, double seconds) {
  return rate(before.*counter, now.*counter, seconds);
}

Value network_drops(const NetworkCounters& before, const NetworkCounters& now, double seconds) {
  const auto received = rate(before.receive_dropped, now.receive_dropped, seconds);
  const auto sent = rate(before.transmit_dropped, now.transmit_dropped, seconds);
  return received && sent ? Value(*received + *sent) : std::nullopt;
}

constexpr std::array kNetworkSignals = {
    Signal<NetworkCounters>{"network_receive_bytes_per_second",
                            "Bytes received, from /proc/net/dev.", histogram_and_peak, kLinkEdges,
                            network_rate<&NetworkCounters::receive_bytes>},
    Signal<NetworkCounters>{"network_transmit_bytes_per_second", "Bytes sent, from /proc/net/dev.",
                            histogram_and_peak, kLinkEdges,
                            network_rate<&NetworkCounters::transmit_bytes>},
    Signal<NetworkCounters>{"network_receive_packets_per_second",
                            "Packets received, from /proc/net/dev.",
                            peak,
                            {},
                            network_rate<&NetworkCounters::receive_packets>},
    Signal<NetworkCounters>{"network_transmit_packets_per_second",
                            "Packets sent, from /proc/net/dev.",
                            peak,
                            {},
                            network_rate<&NetworkCounters::transmit_packets>},
    Signal<NetworkCounters>{"network_drops_per_second",
                            "Packets dropped on their way in or out, from /proc/net/dev.",
                            peak,
                            {},
                            network_drops},
};

}  // namespace

std::span<const HostSignal> host_signals() { return kHostSignals; }
std::span<const Signal<DiskCounters>> disk_signals() { return kDiskSignals; }
std::span<const Signal<NetworkCounters>> network_signals() { return kNetworkSignals; }

}  // namespace collectors::signals
