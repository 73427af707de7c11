#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "collectors/collector.hpp"
#include "exporter/log.hpp"

namespace exporter {

/// What the command line and the configuration file ask for.
struct Options {
  std::vector<std::string> listen_addresses = {":8888"};
  std::string telemetry_path = "/metrics";
  std::size_t max_connections = 256;
  bool has_exporter_metrics = true;  ///< Show what the daemon knows of itself.
  std::string proc_path = "/proc";
  std::string sys_path = "/sys";
  std::string root_path = "/";
  std::chrono::nanoseconds window = std::chrono::minutes(5);
  std::chrono::nanoseconds sample_interval = std::chrono::seconds(1);
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::logfmt;
  std::vector<const collectors::CollectorSpec*> collectors;  ///< Enabled ones, in page order.
  collectors::Settings settings;                             ///< Of the collectors.
};

/// There is nothing to run: --help, --version, a list that was asked for, or a mistake.
struct Exit {
  int code = 0;
  std::string text;  ///< For stdout when `code` is 0; one line for stderr otherwise.
};

std::variant<Options, Exit> parse_options(int argc, const char* const* argv);

}  // namespace exporter
