#pragma once

#include <string_view>

namespace model_server {

/// Of the project, set by the build.
inline constexpr std::string_view kVersion = MODEL_SERVER_VERSION;

}  // namespace model_server
