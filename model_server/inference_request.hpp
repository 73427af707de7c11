// What clients ask of the model, read from the body of a request. Pure and total: any bytes in, a
// request or the reason to refuse it out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model_server/manifest.hpp"

namespace model_server {

/// Why an input was refused.
enum class Reason : std::uint8_t {
  json,       ///< Not JSON, or nested deeper than any request is.
  shape,      ///< A member or value is missing or too many, or has another size or name.
  type,       ///< A member or value, or the whole body, is of another kind.
  nonfinite,  ///< A number that is infinite as a 32-bit float.
  too_large,  ///< More than the server takes in one request.
  framing,    ///< Its length, its target or another part of its header is broken.
};
inline constexpr std::array<std::string_view, 6> kReasonNames = {
    "json", "shape", "type", "nonfinite", "too_large", "framing"};

struct Rejection {
  unsigned status = 400;
  Reason reason = Reason::json;
  std::string field;  ///< Such as "inputs[0].data[3]" or "Content-Type".
  std::string problem;
};

struct InferenceRequest {
  std::vector<double> values;  ///< Of all rows, one after the other; finite as floats.
  std::size_t rows = 1;
  std::optional<std::string> id;  ///< To be sent back.
  std::string series;             ///< Whose next value is asked for; "" when that is not said.
};

using ParsedRequest = std::variant<InferenceRequest, Rejection>;

/// Rows in one request, bytes of an id or of the name of a series.
inline constexpr std::size_t kMostRows = 1024;
inline constexpr std::size_t kMostTextBytes = 256;

/// POST /prediction: a form with the field `inputs`, which is JSON, or a JSON object with it; the
/// JSON is one nested list of as many dimensions as the model's input, those of 1 wherever they
/// stand.
ParsedRequest parse_prediction(std::string_view content_type, std::string_view body,
                               const Tensor& input);

/// POST .../infer of the Open Inference Protocol, version 2: JSON, and so also without a type.
ParsedRequest parse_inference(std::string_view content_type, std::string_view body,
                              const Manifest& manifest);

}  // namespace model_server
