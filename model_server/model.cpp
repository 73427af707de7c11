#include "model_server/model.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "model_server/sha256.hpp"

namespace model_server {
namespace {

constexpr std::size_t kMostManifestBytes = std::size_t{1} << 20U;
// Each worker holds the weights, and while another model is loaded there are two of all.
constexpr std::size_t kMostModelBytes = std::size_t{64} << 20U;

std::string read_file(const std::string& path, std::size_t most_bytes) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    throw std::runtime_error("there is no " + path);
  }
  if (error) throw std::runtime_error("cannot read " + path + ": " + error.message());
  if (!std::filesystem::is_regular_file(status)) throw std::runtime_error(path + " is no file");
  const auto size = std::filesystem::file_size(path, error);
  if (error || size > most_bytes) {
    throw std::runtime_error(path + " is of more than " + std::to_string(most_bytes) + " bytes");
  }
  std::string bytes(size, '\0');
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), static_cast<std::streamsize>(size));
  if (!file) {
    const auto reason = std::error_code(errno, std::generic_category()).message();
    throw std::runtime_error("cannot read " + path + (errno == 0 ? "" : ": " + reason));
  }
  return bytes;
}

/// What OpenCV says takes several lines and names its source files; the sentence is in `err`.
std::runtime_error not_a_network(const cv::Exception& error) {
  auto reason = error.err;
  std::replace(reason.begin(), reason.end(), '\n', ' ');
  return std::runtime_error("OpenCV cannot run model.onnx: " + reason);
}

/// What is the process's, once: errors come as exceptions, and a thread pool of OpenCV's own would
/// only wait for our threads.
bool set_up_opencv() {
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  cv::setNumThreads(1);
  return true;
}

std::vector<int> dimensions_of(const Tensor& tensor) {
  return {tensor.shape.begin(), tensor.shape.end()};
}

}  // namespace

Manifest read_manifest(const std::string& folder) {
  const auto path = folder + "/manifest.json";
  const auto text = read_file(path, kMostManifestBytes);
  try {
    return parse_manifest(text);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(path + " is no manifest: " + error.what());
  }
}

ModelFiles read_model(const std::string& folder) {
  ModelFiles files{.manifest = read_manifest(folder),
                   .onnx = read_file(folder + "/model.onnx", kMostModelBytes)};
  if (sha256_hex(files.onnx) != files.manifest.sha256) {
    throw std::runtime_error(folder + "/model.onnx is not the model of its manifest: the SHA-256 " +
                             "differs");
  }
  return files;
}

std::string_view runtime_name() {
  static const std::string name = "opencv " + cv::getVersionString();
  return name;
}

struct Network::Parts {
  cv::dnn::Net net;
  cv::Mat input;
  std::string input_name, output_name;
  std::size_t output_index = 0;

  cv::Mat compute() {
    net.setInput(input, input_name);
    return net.forward(output_name);
  }
  /// OpenCV computes the last output if it is not told which.
  void check_outputs() const {
    const auto names = net.getUnconnectedOutLayersNames();
    if (names.size() != 1) {
      throw std::runtime_error("model.onnx has " + std::to_string(names.size()) +
                               " outputs in place of one");
    }
    if (names.front() != output_name) {
      throw std::runtime_error("the output of model.onnx is not called as its manifest says");
    }
  }
  void check(const cv::Mat& output, const Tensor& wanted) const {
    const std::vector<int> shape(output.size.p, output.size.p + output.dims);
    if (shape != dimensions_of(wanted) || output.type() != CV_32F) {
      throw std::runtime_error("the output of model.onnx is not shaped as its manifest says");
    }
    const auto* values = output.ptr<float>();
    if (!std::all_of(values, values + output.total(), [](float v) { return std::isfinite(v); })) {
      throw std::runtime_error("model.onnx gives no finite output for zeros");
    }
  }
};

Network::Network(const ModelFiles& files) : parts_(std::make_unique<Parts>()) {
  const auto& manifest = files.manifest;
  [[maybe_unused]] static const bool is_set_up = set_up_opencv();
  try {
    parts_->net = cv::dnn::readNetFromONNX(files.onnx.data(), files.onnx.size());
    if (parts_->net.empty()) throw std::runtime_error("model.onnx is an empty network");
    parts_->net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    parts_->net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
    const auto dimensions = dimensions_of(manifest.input);
    parts_->input.create(static_cast<int>(dimensions.size()), dimensions.data(), CV_32F);
    parts_->input.setTo(0);
    parts_->input_name = manifest.input.name;
    parts_->output_name = manifest.output.name;
    parts_->output_index = manifest.output_index;
    parts_->check_outputs();
    parts_->check(parts_->compute(), manifest.output);
  } catch (const cv::Exception& error) {
    throw not_a_network(error);
  }
}

Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;
Network::~Network() = default;

float Network::predict(std::span<const float> input) {
  if (input.size() != parts_->input.total()) {
    throw std::invalid_argument("an input of another size");
  }
  try {
    std::copy(input.begin(), input.end(), parts_->input.ptr<float>());
    const auto output = parts_->compute();
    return output.ptr<float>()[parts_->output_index];
  } catch (const cv::Exception& error) {
    throw not_a_network(error);
  }
}

}  // namespace model_server
