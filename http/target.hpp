#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace http {

/// A request target in origin-form: /path?name=value&name=value (RFC 9112, section 3.2.1).
struct Target {
  std::string_view path;  ///< As sent, not decoded: routes are compared byte by byte.
  struct Parameter {
    std::string name, value;  ///< Decoded: %41 is A, + is a space.
  };
  std::vector<Parameter> parameters;
};

inline constexpr std::size_t kMaxParameters = 64;

/// `path` is a view into `text`. Nothing when it does not start with '/', a %-escape is broken, or
/// there are more than kMaxParameters.
std::optional<Target> parse_target(std::string_view text);

}  // namespace http
