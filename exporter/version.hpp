#pragma once

#include <string>
#include <string_view>

namespace exporter {

/// Set by the build: the project's version and the commit it was built from, or "unknown".
extern const std::string_view kVersion;
extern const std::string_view kRevision;

/// Name, version, revision and compiler, as --version prints them.
std::string version_text();

}  // namespace exporter
