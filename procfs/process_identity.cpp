#include "procfs/process_identity.hpp"

#include "procfs/text.hpp"

namespace procfs {

std::string parse_process_cmdline(std::string_view text) {
  if (text.empty()) return {};
  std::string arguments(text.substr(0, text.find_last_not_of('\0') + 1));
  arguments += '\0';
  return arguments;
}

metrics::Result<std::vector<ProcessCgroup>> parse_process_cgroup(std::string_view text) {
  constexpr std::string_view kDeleted = " (deleted)";
  constexpr auto kNone = std::string_view::npos;
  std::vector<ProcessCgroup> cgroups;
  while (!text.empty()) {
    const auto line = take_line(text);
    const auto first = line.find(':');
    // A path may hold more of them; the controllers hold none.
    const auto second = first == kNone ? kNone : line.find(':', first + 1);
    if (second == kNone || !line.substr(second + 1).starts_with('/')) {
      return malformed("cgroup", line);
    }
    auto path = line.substr(second + 1);
    if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
    cgroups.push_back({std::string(line.substr(first + 1, second - first - 1)), std::string(path)});
  }
  if (cgroups.empty()) return malformed("cgroup", "");
  return cgroups;
}

}  // namespace procfs
