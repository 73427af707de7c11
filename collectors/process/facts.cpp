#include "collectors/process/facts.hpp"

namespace collectors {

NeededFacts& NeededFacts::operator|=(const NeededFacts& other) {
  command_line = command_line || other.command_line;
  user = user || other.user;
  started_at = started_at || other.started_at;
  cgroups = cgroups || other.cgroups;
  return *this;
}

std::string user_text(const ProcessFacts& facts) {
  if (facts.user) return *facts.user;
  return facts.user_id ? std::to_string(*facts.user_id) : "";
}

std::optional<std::string_view> first_argument(const ProcessFacts& facts) {
  if (!facts.command_line || facts.command_line->empty()) return std::nullopt;
  const std::string_view arguments = *facts.command_line;
  return arguments.substr(0, arguments.find('\0'));
}

std::string_view base_name(std::string_view path) {
  if (path.empty()) return ".";
  const auto end = path.find_last_not_of('/');
  if (end == std::string_view::npos) return "/";
  path = path.substr(0, end + 1);
  return path.substr(path.rfind('/') + 1);
}

}  // namespace collectors
