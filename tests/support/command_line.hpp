// Command lines as /proc/PID/cmdline has them.
#pragma once

#include <string>
#include <vector>

namespace tests {

/// The arguments with a zero behind each.
inline std::string command_line_of(const std::vector<std::string>& arguments) {
  std::string text;
  for (const auto& argument : arguments) text.append(argument).push_back('\0');
  return text;
}

}  // namespace tests
