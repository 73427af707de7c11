#pragma once

#include "model_server/options.hpp"

namespace model_server {

/// Serves until SIGTERM or SIGINT; returns the exit code. What keeps it from starting is one line
/// on stderr.
int run_service(const Options& options);

}  // namespace model_server
