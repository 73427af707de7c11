#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model_server/client/prediction.hpp"
#include "service/program.hpp"

namespace model_client {

/// What the command line asks for.
struct Options {
  Url server;
  std::chrono::nanoseconds interval = std::chrono::seconds(10);  ///< Between two requests.
  std::chrono::milliseconds deadline = std::chrono::seconds(5);  ///< Of a request.
  std::size_t input_size = 6;
  std::optional<std::uint64_t> seed;  ///< Of random inputs; otherwise another in each run.
  std::string replay_path;            ///< "" for random inputs.
  std::string replay_column;          ///< "" for the last one.
  std::string series;                 ///< What the server is told it is called; "" for nothing.
  std::vector<std::string> listen_addresses = {":8000"};
};

std::variant<Options, service::Exit> parse_options(int argc, const char* const* argv);

}  // namespace model_client
