#pragma once

#include "exporter/options.hpp"

namespace exporter {

/// Serves until SIGTERM or SIGINT; returns the exit code. What keeps it from starting is one line
/// on stderr.
int run_daemon(const Options& options);

}  // namespace exporter
