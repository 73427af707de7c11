#include "procfs/net_dev.hpp"

#include "procfs/text.hpp"

namespace procfs {
namespace {

bool parse_device(std::string_view line, NetDevice& device) {
  // The name may hold colons itself ("eth0:1"), and the first number may touch the last one.
  const auto colon = line.rfind(':');
  if (colon == std::string_view::npos) return false;
  auto before = line.substr(0, colon);
  device.name = take_field(before);
  if (device.name.empty() || !before.empty()) return false;
  auto columns = line.substr(colon + 1);
  for (const auto column : kNetDeviceColumns) {
    if (!take_number(columns, device.*column)) return false;
  }
  return true;
}

}  // namespace

metrics::Result<NetDev> parse_net_dev(std::string_view text) {
  constexpr int kHeadingLines = 2;
  constexpr std::size_t kUsualDevices = 8;
  for (int i = 0; i < kHeadingLines; ++i) {
    const auto heading = take_line(text);
    if (heading.find('|') == std::string_view::npos) return malformed("net/dev", heading);
  }
  NetDev parsed;
  parsed.devices.reserve(kUsualDevices);
  while (!text.empty()) {
    const auto line = take_line(text);
    if (!parse_device(line, parsed.devices.emplace_back())) return malformed("net/dev", line);
  }
  return parsed;
}

}  // namespace procfs
