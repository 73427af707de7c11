// The model of the repository, and manifests for tests that need no network.
#pragma once

#include <string>
#include <string_view>

#include "model_server/manifest.hpp"
#include "model_server/model.hpp"

namespace tests {

inline model_server::ModelFiles bts_model() {
  return model_server::read_model(std::string(MODELS) + "/bts");
}

/// Two values in, two out.
inline constexpr std::string_view kManifest = R"({
  "name": "pair", "version": "2", "sha256":
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "input": {"name": "in", "shape": [1, 2]},
  "output": {"name": "out", "shape": [1, 3], "index": -1},
  "reference": {"min": -1, "max": 1.5, "mean_magnitude": 0.25, "edges": [-0.5, 0, 0.5],
    "counts": [1, 2, 0, 5], "step_edges": [0], "output_edges": [-1, 1]},
  "psi_threshold": {"1d": 0.25, "6h": 1}
})";

/// `text` with the first `old` replaced.
inline std::string with(std::string_view text, std::string_view old, std::string_view replacement) {
  std::string changed(text);
  return changed.replace(changed.find(old), old.size(), replacement);
}

}  // namespace tests
