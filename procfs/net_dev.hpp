#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "metrics/result.hpp"

namespace procfs {

/// A line of /proc/net/dev: what a network device counted since it was made. The kernel sums some
/// of its finer counters into these; dev_seq_printf_stats() in net/core/net-procfs.c says which.
struct NetDevice {
  std::string_view name;  ///< A view into the text. Any bytes but blanks.
  std::uint64_t receive_bytes = 0;
  std::uint64_t receive_packets = 0;
  std::uint64_t receive_errors = 0;
  std::uint64_t receive_dropped = 0;  ///< By the kernel, or missed by the device.
  std::uint64_t receive_fifo_errors = 0;
  std::uint64_t receive_frame_errors = 0;  ///< Wrong length, checksum or frame, or overrun.
  std::uint64_t receive_compressed = 0;
  std::uint64_t receive_multicast = 0;
  std::uint64_t transmit_bytes = 0;
  std::uint64_t transmit_packets = 0;
  std::uint64_t transmit_errors = 0;
  std::uint64_t transmit_dropped = 0;
  std::uint64_t transmit_fifo_errors = 0;
  std::uint64_t transmit_collisions = 0;
  std::uint64_t transmit_carrier_errors = 0;  ///< Carrier lost, aborted, late, or no heartbeat.
  std::uint64_t transmit_compressed = 0;
};

/// The columns of a line, in file order.
inline constexpr std::array kNetDeviceColumns = {
    &NetDevice::receive_bytes,           &NetDevice::receive_packets,
    &NetDevice::receive_errors,          &NetDevice::receive_dropped,
    &NetDevice::receive_fifo_errors,     &NetDevice::receive_frame_errors,
    &NetDevice::receive_compressed,      &NetDevice::receive_multicast,
    &NetDevice::transmit_bytes,          &NetDevice::transmit_packets,
    &NetDevice::transmit_errors,         &NetDevice::transmit_dropped,
    &NetDevice::transmit_fifo_errors,    &NetDevice::transmit_collisions,
    &NetDevice::transmit_carrier_errors, &NetDevice::transmit_compressed,
};

/// /proc/net/dev, see proc(5): the devices of the network namespace in which it was opened.
struct NetDev {
  std::vector<NetDevice> devices;  ///< In file order.
};

/// Parses the whole text, which must outlive the result. Fails with `malformed` when the two lines
/// of headings are missing or a line is not a name, a colon and 16 numbers; further columns are
/// passed over.
metrics::Result<NetDev> parse_net_dev(std::string_view text);

}  // namespace procfs
