#include "service/command_line.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace service {
namespace {

// std::map, because CLI11 lists the allowed names from it.
const std::map<std::string, LogLevel> kLogLevels = {{"debug", LogLevel::debug},
                                                    {"info", LogLevel::info},
                                                    {"warn", LogLevel::warn},
                                                    {"error", LogLevel::error}};

}  // namespace

void add_log_level(CLI::App& app, LogLevel& level) {
  std::vector<std::string> names;
  for (const auto& [name, value] : kLogLevels) names.push_back(name);
  app.add_option_function<std::string>(
         "--log.level", [&level](const std::string& name) { level = kLogLevels.at(name); },
         "Least level to log")
      ->check(CLI::IsMember(names))
      ->default_str("info");
}

Exit exit_of(const CLI::App& app, const CLI::Success& request) {
  std::ostringstream text;
  app.exit(request, text, text);
  return {.code = 0, .text = text.str()};
}

Exit exit_of(const CLI::Error& error) {
  std::string line = error.what();
  std::replace(line.begin(), line.end(), '\n', ' ');
  return {.code = 1, .text = line + "; see --help"};
}

}  // namespace service
