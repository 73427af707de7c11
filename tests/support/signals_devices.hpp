// Disks and network devices for the tests of the signals.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/signals_host.hpp"

namespace tests {

struct Disk {
  std::string name;
  unsigned read_sectors = 0;
  unsigned written_sectors = 0;
  unsigned in_progress = 0;
  unsigned io_milliseconds = 0;
  unsigned minor = 0;
};

struct Interface {
  std::string name;
  unsigned long long receive_bytes = 0;
  unsigned receive_packets = 0;
  unsigned receive_drops = 0;
  unsigned long long transmit_bytes = 0;
  unsigned transmit_packets = 0;
  unsigned transmit_drops = 0;
};

inline void write_disks(SignalsHost& host, const std::vector<Disk>& disks) {
  std::string text;
  for (const auto& disk : disks) {
    text += "8 " + std::to_string(disk.minor) + " " + disk.name + " 1 0 " +
            std::to_string(disk.read_sectors) + " 0 1 0 " + std::to_string(disk.written_sectors) +
            " 0 " + std::to_string(disk.in_progress) + " " + std::to_string(disk.io_milliseconds) +
            " 0\n";
  }
  host.tree().write("proc/diskstats", text);
}

inline void write_network(SignalsHost& host, const std::vector<Interface>& interfaces) {
  std::string text = "Inter-| Receive | Transmit\n face |bytes|bytes\n";
  for (const auto& each : interfaces) {
    const auto half = [](unsigned long long bytes, unsigned packets, unsigned drops) {
      return " " + std::to_string(bytes) + " " + std::to_string(packets) + " 0 " +
             std::to_string(drops) + " 0 0 0 0";
    };
    text += "  " + each.name + ":" +
            half(each.receive_bytes, each.receive_packets, each.receive_drops) +
            half(each.transmit_bytes, each.transmit_packets, each.transmit_drops) + "\n";
  }
  host.tree().write("proc/net/dev", text);
}

inline std::string disk(const std::string& signal, const std::string& name) {
  return "host_disk_" + signal + "{device=\"" + name + "\"}";
}
inline std::string network(const std::string& signal, const std::string& name) {
  return "host_network_" + signal + "{device=\"" + name + "\"}";
}

/// The devices on the page, in its order.
inline std::string shown(SignalsHost& host, double second) {
  const auto samples = host.samples(second);
  const std::string_view count = "host_disk_busy_ratio_count{device=\"";
  std::string names;
  for (auto at = samples.find(count); at != std::string::npos; at = samples.find(count, at + 1)) {
    const auto begin = at + count.size();
    names += samples.substr(begin, samples.find('"', begin) - begin) + " ";
  }
  return names;
}

inline constexpr const char* kDisksLeftOut = "host_signal_devices_left_out{kind=\"disk\"}";

}  // namespace tests
