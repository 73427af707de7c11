#include "procfs/meminfo.hpp"

#include <limits>

#include "procfs/text.hpp"

namespace procfs {

std::optional<std::uint64_t> MemInfo::find(std::string_view name) const {
  for (const auto& field : fields) {
    if (field.name == name) return field.value;
  }
  return std::nullopt;
}

metrics::Result<MemInfo> parse_meminfo(std::string_view text) {
  constexpr std::uint64_t kBytesPerKilobyte = 1024;
  constexpr std::size_t kUsualFields = 64;
  MemInfo info;
  info.fields.reserve(kUsualFields);
  while (!text.empty()) {
    const auto line = take_line(text);
    auto rest = line;
    MemInfo::Field field{.name = take_field(rest)};
    if (field.name.size() < 2 || field.name.back() != ':' || !take_number(rest, field.value)) {
      return malformed("meminfo", line);
    }
    field.name.remove_suffix(1);
    field.is_bytes = rest == " kB";
    if (field.is_bytes) {
      if (field.value > std::numeric_limits<std::uint64_t>::max() / kBytesPerKilobyte) {
        return malformed("meminfo", line);
      }
      field.value *= kBytesPerKilobyte;
    } else if (!take_field(rest).empty()) {
      return malformed("meminfo", line);
    }
    info.fields.push_back(field);
  }
  if (info.fields.empty()) return malformed("meminfo", "no line");
  return info;
}

}  // namespace procfs
