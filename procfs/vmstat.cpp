#include "procfs/vmstat.hpp"

#include "procfs/text.hpp"

namespace procfs {

metrics::Result<VmStat> parse_vmstat(std::string_view text) {
  constexpr std::size_t kUsualFields = 256;
  VmStat vmstat;
  vmstat.fields.reserve(kUsualFields);
  while (!text.empty()) {
    const auto line = take_line(text);
    const auto blank = line.find(' ');
    if (blank == 0 || blank == std::string_view::npos) return malformed("vmstat", line);
    VmStat::Field field{line.substr(0, blank)};
    if (!to_number(line.substr(blank + 1), field.value)) return malformed("vmstat", line);
    vmstat.fields.push_back(field);
  }
  if (vmstat.fields.empty()) return malformed("vmstat", "no line");
  return vmstat;
}

}  // namespace procfs
