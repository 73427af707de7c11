#pragma once

#include <yaml-cpp/node/node.h>

#include <string>

namespace collectors {

/// The root of a YAML text, null for one without content. Throws YAML::Exception, with the place,
/// when it is not YAML or goes on after the first document.
YAML::Node only_document(const std::string& text);

}  // namespace collectors
