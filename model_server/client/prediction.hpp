// What goes over the wire to POST /prediction, and what comes back. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace model_client {

/// Where the server answers.
struct Url {
  std::string host;  ///< A name or an address; one of IPv6 without brackets.
  std::uint16_t port = 80;
  std::string path = "/";
};

/// Nothing when the text is not http://host[:port][/path].
std::optional<Url> parse_url(std::string_view text);

/// The body of type application/x-www-form-urlencoded that the first client of this kind sent: the
/// field `inputs` with the list [[[...]]], one row of one step of all values.
std::string prediction_form(std::span<const double> input);

/// The prediction in the answer {"prediction_result": "<number>"}; the number may also stand there
/// without quotes. Nothing when it is something else, or not finite.
std::optional<double> read_prediction(std::string_view body);

}  // namespace model_client
