#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "collectors/collector.hpp"
#include "service/log.hpp"
#include "service/program.hpp"

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
  service::LogLevel log_level = service::LogLevel::info;
  service::LogFormat log_format = service::LogFormat::logfmt;
  std::vector<const collectors::CollectorSpec*> collectors;  ///< Enabled ones, in page order.
  collectors::Settings settings;                             ///< Of the collectors.
};

std::variant<Options, service::Exit> parse_options(int argc, const char* const* argv);

}  // namespace exporter
