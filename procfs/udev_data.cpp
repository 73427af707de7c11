#include "procfs/udev_data.hpp"

#include "procfs/text.hpp"

namespace procfs {

std::string_view UdevData::find(std::string_view key) const {
  for (const auto& property : properties) {
    if (property.key == key) return property.value;
  }
  return {};
}

UdevData parse_udev_data(std::string_view text) {
  constexpr std::string_view kPropertyPrefix = "E:";
  UdevData data;
  while (!text.empty()) {
    auto line = take_line(text);
    if (!line.starts_with(kPropertyPrefix)) continue;
    line.remove_prefix(kPropertyPrefix.size());
    const auto equals = line.find('=');
    if (equals == 0 || equals == std::string_view::npos) continue;
    data.properties.push_back({line.substr(0, equals), line.substr(equals + 1)});
  }
  return data;
}

}  // namespace procfs
