#pragma once

#include "model_server/client/options.hpp"

namespace model_client {

/// Asks and serves its page until SIGTERM or SIGINT; returns the exit code. What keeps it from
/// starting is one line on stderr.
int run_client(const Options& options);

}  // namespace model_client
