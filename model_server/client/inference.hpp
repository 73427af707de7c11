// What goes over the wire to an infer endpoint of the Open Inference Protocol, version 2, and what
// comes back. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace model_client {

/// The input of a model.
struct InputTensor {
  std::string name;
  std::vector<std::size_t> shape;  ///< Of one row.
};

/// Where the model of "/v2/models/bts/infer" is described: "/v2/models/bts". Nothing when the path
/// is no such one.
std::optional<std::string> description_path(std::string_view path);

/// The one input in the description of a model. Nothing when it is something else.
std::optional<InputTensor> read_input_tensor(std::string_view description);

/// The body, JSON, of a request for the prediction of one row. A `series` that is not "" tells the
/// server which series the row is of, so that it can compare its prediction with the next one.
std::string inference_body(const InputTensor& tensor, std::span<const double> input,
                           std::string_view series);

/// The first value of the first output. Nothing when there is none, or it is not finite.
std::optional<double> read_inference(std::string_view body);

}  // namespace model_client
