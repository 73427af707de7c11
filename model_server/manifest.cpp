#include "model_server/manifest.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cmath>
#include <functional>
#include <numeric>
#include <stdexcept>

namespace model_server {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostDimensions = 8;
constexpr std::size_t kMostValues = 65536;
constexpr std::size_t kMostEdges = 32;
constexpr std::size_t kMostThresholds = 8;
constexpr std::size_t kMostNameBytes = 64;
constexpr std::size_t kHexDigits = 64;

/// One object of the manifest, whose members are asked for by name.
class Section {
 public:
  /// `path` is for messages, such as "input." for the members of `input`.
  Section(const json::value& value, std::string path) : path_(std::move(path)) {
    if (!value.is_object()) {
      throw std::runtime_error("'" + path_.substr(0, path_.size() - 1) + "' is not an object");
    }
    object_ = &value.get_object();
  }

  [[noreturn]] void fail(const char* name, const std::string& problem) const {
    throw std::runtime_error("'" + path_ + name + "' " + problem);
  }
  [[nodiscard]] const json::value& member(const char* name) const {
    const auto* value = object_->if_contains(name);
    if (value == nullptr) fail(name, "is missing");
    return *value;
  }
  [[nodiscard]] Section section(const char* name) const {
    return {member(name), path_ + name + "."};
  }
  [[nodiscard]] const json::object& members() const { return *object_; }

  [[nodiscard]] std::string text(const char* name) const {
    const auto* value = member(name).if_string();
    if (value == nullptr) fail(name, "is not a string");
    return {value->data(), value->size()};
  }
  /// Text that can stand in a label and in a path as it is.
  [[nodiscard]] std::string word(const char* name) const {
    auto value = text(name);
    const bool is_plain = std::all_of(value.begin(), value.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '.' || c == '_' || c == '-';
    });
    if (value.empty() || value.size() > kMostNameBytes || !is_plain) {
      fail(name, "is not 1 to 64 letters, digits, '.', '_' or '-'");
    }
    return value;
  }
  [[nodiscard]] double number(const char* name) const { return to_number(member(name), name); }
  [[nodiscard]] std::int64_t integer(const char* name) const {
    return to_integer(member(name), name);
  }

  [[nodiscard]] double to_number(const json::value& value, const char* name) const {
    json::error_code error;
    const auto number = value.to_number<double>(error);
    if (error || !std::isfinite(number)) fail(name, "is not a finite number");
    return number;
  }
  [[nodiscard]] std::int64_t to_integer(const json::value& value, const char* name) const {
    json::error_code error;
    const auto number = value.to_number<std::int64_t>(error);
    if (error) fail(name, "is not a whole number");
    return number;
  }
  [[nodiscard]] const json::array& list(const char* name, std::size_t most) const {
    const auto* values = member(name).if_array();
    if (values == nullptr || values->empty() || values->size() > most) {
      fail(name, "is not a list of 1 to " + std::to_string(most));
    }
    return *values;
  }

  [[nodiscard]] std::vector<double> edges(const char* name) const {
    std::vector<double> edges;
    for (const auto& value : list(name, kMostEdges)) edges.push_back(to_number(value, name));
    const auto unordered = std::adjacent_find(edges.begin(), edges.end(), std::greater_equal<>());
    if (unordered != edges.end()) fail(name, "does not ascend");
    return edges;
  }

 private:
  const json::object* object_ = nullptr;
  std::string path_;
};

Tensor read_tensor(const Section& section) {
  Tensor tensor{.name = section.text("name"), .shape = {}};
  for (const auto& value : section.list("shape", kMostDimensions)) {
    const auto dimension = section.to_integer(value, "shape");
    if (dimension < 1 || dimension > static_cast<std::int64_t>(kMostValues)) {
      section.fail("shape", "has a dimension that is not 1 to 65536");
    }
    tensor.shape.push_back(static_cast<std::size_t>(dimension));
    if (tensor.size() > kMostValues) section.fail("shape", "is of more than 65536 values");
  }
  if (tensor.shape.front() != 1) section.fail("shape", "does not begin with 1");
  return tensor;
}

/// From the front, or with a negative index from the back, as in Python.
std::size_t read_index(const Section& section, std::size_t size) {
  const auto index = section.integer("index");
  const auto count = static_cast<std::int64_t>(size);
  if (index < -count || index >= count) section.fail("index", "is outside of the output");
  return static_cast<std::size_t>(index < 0 ? index + count : index);
}

Reference read_reference(const Section& section) {
  Reference reference{.min = section.number("min"),
                      .max = section.number("max"),
                      .mean_magnitude = section.number("mean_magnitude"),
                      .edges = section.edges("edges"),
                      .counts = {},
                      .step_edges = section.edges("step_edges"),
                      .output_edges = section.edges("output_edges")};
  if (reference.min > reference.max) section.fail("min", "is above 'max'");
  if (reference.mean_magnitude < 0) section.fail("mean_magnitude", "is negative");
  for (const auto& value : section.list("counts", kMostEdges + 1)) {
    const auto count = section.to_integer(value, "counts");
    if (count < 0) section.fail("counts", "has a negative count");
    reference.counts.push_back(static_cast<std::uint64_t>(count));
  }
  if (reference.counts.size() != reference.edges.size() + 1) {
    section.fail("counts", "is not one longer than 'edges'");
  }
  if (std::all_of(reference.counts.begin(), reference.counts.end(),
                  [](std::uint64_t count) { return count == 0; })) {
    section.fail("counts", "counts nothing");
  }
  return reference;
}

std::map<std::string, double> read_thresholds(const Section& section) {
  std::map<std::string, double> thresholds;
  for (const auto& [key, value] : section.members()) {
    const std::string window(key);
    const bool is_window = window.find_first_not_of("0123456789smhdw") == std::string::npos;
    // Without its name, which may be any bytes.
    if (!is_window || window.empty()) section.fail("*", "has a name that is not like 1d");
    const auto threshold = section.to_number(value, window.c_str());
    if (threshold <= 0) section.fail(window.c_str(), "is not above 0");
    thresholds[window] = threshold;
    if (thresholds.size() > kMostThresholds) section.fail("", "has too many windows");
  }
  return thresholds;
}

std::string read_digest(const Section& root) {
  auto digest = root.text("sha256");
  const bool is_hex = digest.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (digest.size() != kHexDigits || !is_hex) {
    root.fail("sha256", "is not 64 lower-case hexadecimal digits");
  }
  return digest;
}

}  // namespace

std::size_t Tensor::size() const {
  return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
}

Manifest parse_manifest(std::string_view text) {
  json::error_code error;
  const auto value = json::parse({text.data(), text.size()}, error);
  if (error) throw std::runtime_error("it is not JSON: " + error.message());
  if (!value.is_object()) throw std::runtime_error("it is not a JSON object");
  const Section root(value, "");
  Manifest manifest{.name = root.word("name"),
                    .version = root.word("version"),
                    .sha256 = read_digest(root),
                    .input = read_tensor(root.section("input")),
                    .output = read_tensor(root.section("output")),
                    .reference = read_reference(root.section("reference")),
                    .psi_thresholds = read_thresholds(root.section("psi_threshold"))};
  manifest.output_index = read_index(root.section("output"), manifest.output.size());
  return manifest;
}

}  // namespace model_server
