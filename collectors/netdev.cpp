// Traffic of the network devices, from /proc/net/dev and sysfs. Families of node_exporter.
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/catalog.hpp"
#include "procfs/net_dev.hpp"
#include "procfs/text.hpp"

namespace collectors {
namespace {

using metrics::Family;
using metrics::Kind;
using procfs::NetDevice;

struct DeviceColumn {
  Family family;
  std::uint64_t NetDevice::*value;
};
constexpr std::array kDeviceColumns = {
    DeviceColumn{
        {"node_network_receive_bytes_total", "Bytes received, from /proc/net/dev.", Kind::counter},
        &NetDevice::receive_bytes},
    DeviceColumn{{"node_network_receive_compressed_total",
                  "Compressed packets received, from /proc/net/dev.", Kind::counter},
                 &NetDevice::receive_compressed},
    DeviceColumn{{"node_network_receive_drop_total",
                  "Packets dropped on their way in or missed by the device, from /proc/net/dev.",
                  Kind::counter},
                 &NetDevice::receive_dropped},
    DeviceColumn{{"node_network_receive_errs_total", "Bad packets received, from /proc/net/dev.",
                  Kind::counter},
                 &NetDevice::receive_errors},
    DeviceColumn{
        {"node_network_receive_fifo_total",
         "Packets lost to overruns of the receiving queue, from /proc/net/dev.", Kind::counter},
        &NetDevice::receive_fifo_errors},
    DeviceColumn{{"node_network_receive_frame_total",
                  "Packets received with a wrong length, checksum or frame, from /proc/net/dev.",
                  Kind::counter},
                 &NetDevice::receive_frame_errors},
    DeviceColumn{{"node_network_receive_multicast_total",
                  "Multicast packets received, from /proc/net/dev.", Kind::counter},
                 &NetDevice::receive_multicast},
    DeviceColumn{{"node_network_receive_packets_total", "Packets received, from /proc/net/dev.",
                  Kind::counter},
                 &NetDevice::receive_packets},
    DeviceColumn{
        {"node_network_transmit_bytes_total", "Bytes sent, from /proc/net/dev.", Kind::counter},
        &NetDevice::transmit_bytes},
    DeviceColumn{{"node_network_transmit_carrier_total",
                  "Packets not sent because the link was lost, from /proc/net/dev.", Kind::counter},
                 &NetDevice::transmit_carrier_errors},
    DeviceColumn{{"node_network_transmit_colls_total",
                  "Collisions while sending, from /proc/net/dev.", Kind::counter},
                 &NetDevice::transmit_collisions},
    DeviceColumn{{"node_network_transmit_compressed_total",
                  "Compressed packets sent, from /proc/net/dev.", Kind::counter},
                 &NetDevice::transmit_compressed},
    DeviceColumn{{"node_network_transmit_drop_total",
                  "Packets dropped on their way out, from /proc/net/dev.", Kind::counter},
                 &NetDevice::transmit_dropped},
    DeviceColumn{{"node_network_transmit_errs_total",
                  "Packets that could not be sent, from /proc/net/dev.", Kind::counter},
                 &NetDevice::transmit_errors},
    DeviceColumn{
        {"node_network_transmit_fifo_total",
         "Packets lost to underruns of the sending queue, from /proc/net/dev.", Kind::counter},
        &NetDevice::transmit_fifo_errors},
    DeviceColumn{
        {"node_network_transmit_packets_total", "Packets sent, from /proc/net/dev.", Kind::counter},
        &NetDevice::transmit_packets},
};
constexpr Family kNoHandlerPackets = {"node_network_receive_nohandler_total",
                                      "Packets received that no protocol wanted, from "
                                      "/sys/class/net/<device>/statistics/rx_nohandler.",
                                      Kind::counter};

/// The one counter that /proc/net/dev lacks; nothing where sysfs does not tell it.
struct NoHandler {
  std::string device;
  std::optional<procfs::KeptFile> file;
  std::optional<std::uint64_t> packets;
};

/// False for a name that would lead a path elsewhere. The kernel refuses such names, but it is not
/// the kernel alone that can stand behind --path.procfs.
bool is_file_name(std::string_view name) {
  return name != "." && name != ".." && name.find('/') == std::string_view::npos;
}

std::optional<std::uint64_t> read_number(procfs::KeptFile& file) {
  auto text = file.read();
  std::uint64_t number = 0;
  if (!text || !procfs::to_number(procfs::take_line(*text), number)) return std::nullopt;
  return number;
}

class Netdev final : public Collector {
 public:
  explicit Netdev(const Host& host) : host_(host) {}

  metrics::Result<void> refresh(Clock::time_point now) override {
    const auto& net_dev = host_.files.net_dev.at(now);
    if (!net_dev) return net_dev.error();
    devices_ = net_dev->devices;
    // The loopback is no traffic of the host's: Debian's node_exporter leaves it out, too.
    std::erase_if(devices_, [](const NetDevice& device) { return device.name == "lo"; });
    follow_devices();
    for (auto& entry : no_handler_) {
      if (entry.file) entry.packets = read_number(*entry.file);
    }
    return {};
  }

  void emit(metrics::Sink& sink) const override {
    if (devices_.empty()) return;
    for (const auto& column : kDeviceColumns) {
      sink.family(column.family);
      for (const auto& device : devices_) {
        sink.sample({{"device", device.name}}, static_cast<double>(device.*column.value));
      }
    }
    bool announced = false;
    for (const auto& entry : no_handler_) {
      if (!entry.packets) continue;
      if (!std::exchange(announced, true)) sink.family(kNoHandlerPackets);
      sink.sample({{"device", entry.device}}, static_cast<double>(*entry.packets));
    }
  }

  static void list(metrics::FamilyList& list) {
    list.add_rows(kDeviceColumns, "device");
    list.add({kNoHandlerPackets}, "device");
  }

 private:
  /// Keeps the file of each device. One that came, went or moved makes all of them anew, because
  /// once two devices have swapped names a kept descriptor shows the other one.
  void follow_devices() {
    constexpr std::size_t kMaxFiles = 64;
    const std::span followed(devices_.data(), std::min(devices_.size(), kMaxFiles));
    const auto is_same = [](const NoHandler& entry, const NetDevice& device) {
      return entry.device == device.name;
    };
    if (std::ranges::equal(no_handler_, followed, is_same)) return;
    no_handler_.clear();
    for (const auto& device : followed) {
      auto& entry = no_handler_.emplace_back();
      entry.device = device.name;
      if (!is_file_name(entry.device)) continue;
      entry.file = host_.sys.keep("class/net/" + entry.device + "/statistics/rx_nohandler",
                                  procfs::Ending::short_read);
    }
  }

  Host host_;
  std::vector<NetDevice> devices_;  // their names are views into the file
  std::vector<NoHandler> no_handler_;
};

}  // namespace

constinit const CollectorSpec kNetdev = {
    "netdev",
    "Traffic and errors of each network device (/proc/net/dev).",
    true,
    Reads::memory,
    make_collector<Netdev>,
    Netdev::list};

}  // namespace collectors
