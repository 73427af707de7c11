#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "service/log.hpp"
#include "service/program.hpp"

namespace model_server {

/// What the command line asks for.
struct Options {
  std::string model = "/usr/share/model_server/models/bts";
  std::vector<std::string> listen_addresses = {":8080"};
  bool uses_inherited_sockets = false;  ///< Those of systemd, and no address.
  std::size_t max_connections = 1024;
  std::size_t max_body_bytes = std::size_t{256} << 10U;
  std::size_t queue_length = 256;
  std::size_t workers = 1;
  std::chrono::milliseconds deadline{1000};
  std::chrono::milliseconds drain_time{2000};  ///< Answering, and not ready, before it stops.
  service::LogLevel log_level = service::LogLevel::info;
};

std::variant<Options, service::Exit> parse_options(int argc, const char* const* argv);

}  // namespace model_server
