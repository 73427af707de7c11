#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace http {

/// A name and its value, decoded: %41 is A, + is a space.
struct Parameter {
  std::string name, value;
};

inline constexpr std::size_t kMaxParameters = 64;

/// What a query or a body of type application/x-www-form-urlencoded holds: name=value&name=value.
/// Nothing when a %-escape is broken or there are more than kMaxParameters.
std::optional<std::vector<Parameter>> parse_parameters(std::string_view text);

/// A request target in origin-form: /path?name=value&name=value (RFC 9112, section 3.2.1).
struct Target {
  std::string_view path;  ///< As sent, not decoded: routes are compared byte by byte.
  std::vector<Parameter> parameters;
};

/// `path` is a view into `text`. Nothing when it does not start with '/' or has no parameters that
/// parse_parameters takes.
std::optional<Target> parse_target(std::string_view text);

}  // namespace http
