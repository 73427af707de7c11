#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace model_server {

/// One input or output of the network.
struct Tensor {
  std::string name;
  std::vector<std::size_t> shape;  ///< The first dimension is 1: one request row.

  /// How many values it has.
  [[nodiscard]] std::size_t size() const;
  bool operator==(const Tensor&) const = default;
};

/// What inputs and outputs looked like when the model was made. Edges ascend; a value on an edge
/// belongs to the bin below, as with Prometheus' `le`.
struct Reference {
  double min = 0;
  double max = 0;
  double mean_magnitude = 0;
  std::vector<double> edges;          ///< Between the bins of input values.
  std::vector<std::uint64_t> counts;  ///< Input values in each bin, one more than edges.
  std::vector<double> step_edges;     ///< For the difference of neighbouring input values.
  std::vector<double> output_edges;

  bool operator==(const Reference&) const = default;
};

/// What manifest.json says of the model.onnx beside it.
struct Manifest {
  std::string name, version;  ///< Of letters, digits, '.', '_' and '-'.
  std::string sha256;         ///< Of model.onnx.
  Tensor input, output;
  std::size_t output_index = 0;  ///< Which value of the output is the prediction.
  Reference reference;
  std::map<std::string, double> psi_thresholds;  ///< By window, such as "1d".

  bool operator==(const Manifest&) const = default;
};

/// Throws std::runtime_error, which names the field, when it is not a whole manifest.
Manifest parse_manifest(std::string_view json);

}  // namespace model_server
