// The file that process-exporter's configuration is read from.
#pragma once

#include <string>

#include "collectors/process/naming_config.hpp"
#include "metrics/result.hpp"

namespace collectors {

/// Reads a regular file of at most NamingConfig::kMaxBytes: nothing that would keep one waiting for
/// a writer or without end, as who reads it may be in a hurry.
/// Fails with one line that begins with the file: as parse_naming_config() does, and with `gone`,
/// `denied`, `unsupported` (no regular file) or `io`.
metrics::Result<NamingConfig> read_naming_config(const std::string& path);

}  // namespace collectors
