#include "exporter/version.hpp"

namespace exporter {

constinit const std::string_view kVersion = RESOURCE_EXPORTER_VERSION;
constinit const std::string_view kRevision = RESOURCE_EXPORTER_REVISION;

std::string version_text() {
  return "resource_exporter, version " + std::string(kVersion) + " (revision " +
         std::string(kRevision) + ", compiler " __VERSION__ ")";
}

}  // namespace exporter
