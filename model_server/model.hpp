// The model as files and as a network that computes. Only model.cpp includes OpenCV.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "model_server/manifest.hpp"

namespace model_server {

/// A folder with manifest.json and model.onnx, read.
struct ModelFiles {
  Manifest manifest;
  std::string onnx;  ///< The bytes of model.onnx, whose digest is that of the manifest.
};

/// Throws std::runtime_error with one line when a file is missing, is not a regular one, is too
/// large or damaged, or when the two do not belong together.
ModelFiles read_model(const std::string& folder);

/// The manifest alone, which is small. Throws in the same way.
Manifest read_manifest(const std::string& folder);

/// The name and version of what runs the network.
std::string_view runtime_name();

/// A network ready to compute. It has a state: one thread at a time, and for each thread its own.
class Network {
 public:
  /// Computes once, so that what does not fit shows now. Throws std::runtime_error with one line
  /// when the bytes are no network that OpenCV can run, or none with the one input and the one
  /// output that the manifest says.
  explicit Network(const ModelFiles& files);
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network();

  /// The prediction for the values of one input, which need not be finite.
  /// Throws std::runtime_error when the network fails.
  float predict(std::span<const float> input);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace model_server
