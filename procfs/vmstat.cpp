#include "procfs/vmstat.hpp"

#include "procfs/text.hpp"

namespace procfs {
namespace {

/// The file has some 200 lines, of which most are nobody's concern.
bool is_wanted(std::string_view line) {
  return line.starts_with('p') ? line.starts_with("pg") || line.starts_with("psw")
                               : line.starts_with("oom_kill");
}

}  // namespace

std::optional<std::uint64_t> VmStat::find(std::string_view name) const {
  for (const auto& field : fields) {
    if (field.name == name) return field.value;
  }
  return std::nullopt;
}

metrics::Result<VmStat> parse_vmstat(std::string_view text) {
  constexpr std::size_t kUsualFields = 128;
  VmStat vmstat;
  vmstat.fields.reserve(kUsualFields);
  while (!text.empty()) {
    const auto line = take_line(text);
    if (!is_wanted(line)) continue;
    const auto blank = line.find(' ');
    if (blank == std::string_view::npos) return malformed("vmstat", line);
    VmStat::Field field{line.substr(0, blank)};
    auto rest = line.substr(blank);
    if (!take_number(rest, field.value) || !rest.empty()) return malformed("vmstat", line);
    vmstat.fields.push_back(field);
  }
  if (vmstat.fields.empty()) return malformed("vmstat", "no line about paging");
  return vmstat;
}

}  // namespace procfs
