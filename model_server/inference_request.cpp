#include "model_server/inference_request.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <span>
#include <utility>

#include "http/negotiation.hpp"
#include "http/target.hpp"
#include "model_server/numbers.hpp"

namespace model_server {
namespace {

namespace json = boost::json;

constexpr unsigned kTooLarge = 413;
constexpr unsigned kUnsupportedType = 415;
constexpr std::size_t kMostDepth = 16;
constexpr std::string_view kBody = "body";
constexpr std::string_view kInput = "inputs[0]";

using Problem = std::optional<Rejection>;
using Shape = std::vector<std::size_t>;

Rejection reject(Reason reason, std::string_view field, std::string problem) {
  return {.status = reason == Reason::too_large ? kTooLarge : 400,
          .reason = reason,
          .field = std::string(field),
          .problem = std::move(problem)};
}

Rejection reject_content_type(std::string_view wanted) {
  return {.status = kUnsupportedType,
          .reason = Reason::type,
          .field = "Content-Type",
          .problem = "is not " + std::string(wanted)};
}

/// Without parameters such as charset.
std::string_view media_type(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  return type;
}

std::string member_of(std::string_view owner, std::string_view member) {
  return std::string(owner).append(".").append(member);
}

Problem parse_json(std::string_view text, std::string_view field, json::value& value) {
  json::error_code error;
  json::parse_options options;
  options.max_depth = kMostDepth;
  value = json::parse({text.data(), text.size()}, error, {}, options);
  if (error) return reject(Reason::json, field, "is not JSON: " + error.message());
  return std::nullopt;
}

Problem parse_object(std::string_view text, json::value& value) {
  if (auto problem = parse_json(text, kBody, value)) return problem;
  if (!value.is_object()) return reject(Reason::type, kBody, "is not a JSON object");
  return std::nullopt;
}

/// The sizes of the first of the lists on each level, at most `most` of them.
Shape outer_shape(const json::value& value, std::size_t most) {
  Shape shape;
  const auto* list = value.if_array();
  while (list != nullptr && shape.size() < most) {
    shape.push_back(list->size());
    list = list->empty() ? nullptr : list->front().if_array();
  }
  return shape;
}

Shape without_ones(Shape shape) {
  std::erase(shape, 1U);
  return shape;
}

std::string to_text(const Shape& shape) {
  std::string text = "[";
  for (const auto size : shape) text.append(text == "[" ? "" : ",").append(std::to_string(size));
  return text + "]";
}

/// The string member `name`, "" when there is none.
Problem read_text(const json::object& object, std::string_view name, std::string_view field,
                  std::string& text) {
  const auto* value = object.if_contains({name.data(), name.size()});
  if (value == nullptr) return std::nullopt;
  const auto* string = value->if_string();
  if (string == nullptr) return reject(Reason::type, field, "is not a string");
  if (string->size() > kMostTextBytes) {
    return reject(Reason::too_large, field, "is longer than 256 bytes");
  }
  text.assign(string->data(), string->size());
  return std::nullopt;
}

/// A string member that can have only one value.
Problem expect_text(const json::object& object, std::string_view name, std::string_view field,
                    std::string_view wanted) {
  std::string text;
  if (!object.contains({name.data(), name.size()})) {
    return reject(Reason::shape, field, "is missing");
  }
  if (auto problem = read_text(object, name, field, text)) return problem;
  if (text != wanted) return reject(Reason::shape, field, "is not " + std::string(wanted));
  return std::nullopt;
}

/// `shape` of an input: that of the model, but for the number of rows in front.
Problem read_shape(const json::object& object, const Tensor& input, Shape& shape) {
  const auto field = member_of(kInput, "shape");
  const auto* value = object.if_contains("shape");
  if (value == nullptr) return reject(Reason::shape, field, "is missing");
  const auto* list = value->if_array();
  if (list == nullptr) return reject(Reason::type, field, "is not a list");
  if (list->size() != input.shape.size()) {
    return reject(Reason::shape, field,
                  "has not " + std::to_string(input.shape.size()) + " dimensions");
  }
  for (const auto& dimension : *list) {
    json::error_code error;
    if (!dimension.is_int64() && !dimension.is_uint64()) {
      return reject(Reason::type, field, "is not of whole numbers");
    }
    const auto size = dimension.to_number<std::int64_t>(error);
    if (error) return reject(Reason::too_large, field, "is too large");
    if (size < 1) return reject(Reason::shape, field, "has a dimension below 1");
    shape.push_back(static_cast<std::size_t>(size));
  }
  if (!std::equal(shape.begin() + 1, shape.end(), input.shape.begin() + 1)) {
    auto wanted = to_text(input.shape);
    return reject(Reason::shape, field, "is not " + wanted.replace(1, 1, "n"));
  }
  if (shape.front() > kMostRows) return reject(Reason::too_large, field, "is over 1024 rows");
  return std::nullopt;
}

/// `data` may be nested as the shape says, or flat.
Problem read_data(const json::object& object, const Shape& shape, std::size_t size,
                  std::vector<double>& values) {
  const auto field = member_of(kInput, "data");
  const auto* data = object.if_contains("data");
  if (data == nullptr) return reject(Reason::shape, field, "is missing");
  const auto* list = data->if_array();
  const bool is_nested = list != nullptr && !list->empty() && list->front().is_array();
  const Shape flat = {size};
  values.reserve(size);
  return NumberReader(field).read(*data, is_nested ? shape : flat, values);
}

Problem read_inputs(const json::object& body, const Tensor& input, InferenceRequest& request) {
  const auto* value = body.if_contains("inputs");
  if (value == nullptr) return reject(Reason::shape, "inputs", "is missing");
  const auto* list = value->if_array();
  if (list == nullptr) return reject(Reason::type, "inputs", "is not a list");
  if (list->size() != 1) return reject(Reason::shape, "inputs", "is not one input");
  const auto* object = list->front().if_object();
  if (object == nullptr) return reject(Reason::type, kInput, "is not an object");
  if (auto problem = expect_text(*object, "name", member_of(kInput, "name"), input.name)) {
    return problem;
  }
  if (auto problem = expect_text(*object, "datatype", member_of(kInput, "datatype"), "FP32")) {
    return problem;
  }
  Shape shape;
  if (auto problem = read_shape(*object, input, shape)) return problem;
  request.rows = shape.front();
  return read_data(*object, shape, request.rows * input.size(), request.values);
}

Problem read_parameters(const json::object& body, std::string& series) {
  const auto* parameters = body.if_contains("parameters");
  if (parameters == nullptr) return std::nullopt;
  const auto* object = parameters->if_object();
  if (object == nullptr) return reject(Reason::type, "parameters", "is not an object");
  return read_text(*object, "series", "parameters.series", series);
}

/// There is one output: a client may ask for it by name, and for no other.
Problem check_outputs(const json::object& body, const Tensor& output) {
  const auto* outputs = body.if_contains("outputs");
  if (outputs == nullptr) return std::nullopt;
  const auto* list = outputs->if_array();
  if (list == nullptr) return reject(Reason::type, "outputs", "is not a list");
  if (list->size() > 1) return reject(Reason::shape, "outputs", "is more than one output");
  if (list->empty()) return std::nullopt;
  const auto* object = list->front().if_object();
  if (object == nullptr) return reject(Reason::type, "outputs[0]", "is not an object");
  return expect_text(*object, "name", "outputs[0].name", output.name);
}

/// The JSON text of `inputs` in a form.
Problem read_form(std::string_view body, std::string& text) {
  auto parameters = http::parse_parameters(body);
  if (!parameters) return reject(Reason::shape, kBody, "is not a form of at most 64 fields");
  const auto is_inputs = [](const http::Parameter& parameter) {
    return parameter.name == "inputs";
  };
  const auto count = std::count_if(parameters->begin(), parameters->end(), is_inputs);
  if (count != 1) {
    return reject(Reason::shape, "inputs", count == 0 ? "is missing" : "is there more than once");
  }
  text = std::move(std::find_if(parameters->begin(), parameters->end(), is_inputs)->value);
  return std::nullopt;
}

/// `inputs` of a prediction, wherever it stands.
Problem find_inputs(std::string_view content_type, std::string_view body, json::value& inputs) {
  const auto type = media_type(content_type);
  if (http::equal_ignoring_case(type, "application/x-www-form-urlencoded")) {
    std::string text;
    if (auto problem = read_form(body, text)) return problem;
    return parse_json(text, "inputs", inputs);
  }
  if (!http::equal_ignoring_case(type, "application/json")) {
    return reject_content_type("application/x-www-form-urlencoded or application/json");
  }
  json::value document;
  if (auto problem = parse_object(body, document)) return problem;
  auto* member = document.get_object().if_contains("inputs");
  if (member == nullptr) return reject(Reason::shape, "inputs", "is missing");
  inputs = std::move(*member);
  return std::nullopt;
}

}  // namespace

ParsedRequest parse_prediction(std::string_view content_type, std::string_view body,
                               const Tensor& input) {
  json::value inputs;
  if (auto problem = find_inputs(content_type, body, inputs)) return *std::move(problem);
  if (!inputs.is_array()) return reject(Reason::type, "inputs", "is not a list");
  const auto shape = outer_shape(inputs, input.shape.size() + 1);
  if (shape.size() != input.shape.size() || without_ones(shape) != without_ones(input.shape)) {
    return reject(Reason::shape, "inputs",
                  "begins like " + to_text(shape) + ", not like " + to_text(input.shape));
  }
  InferenceRequest request;
  request.values.reserve(input.size());
  auto problem = NumberReader("inputs").read(inputs, shape, request.values);
  if (problem) return *std::move(problem);
  return request;
}

ParsedRequest parse_inference(std::string_view content_type, std::string_view body,
                              const Manifest& manifest) {
  const auto type = media_type(content_type);
  if (!type.empty() && !http::equal_ignoring_case(type, "application/json")) {
    return reject_content_type("application/json");
  }
  json::value document;
  if (auto problem = parse_object(body, document)) return *std::move(problem);
  const auto& object = document.get_object();
  InferenceRequest request;
  if (object.contains("id")) {
    request.id.emplace();
    if (auto problem = read_text(object, "id", "id", *request.id)) return *std::move(problem);
  }
  if (auto problem = read_parameters(object, request.series)) return *std::move(problem);
  if (auto problem = check_outputs(object, manifest.output)) return *std::move(problem);
  if (auto problem = read_inputs(object, manifest.input, request)) return *std::move(problem);
  return request;
}

}  // namespace model_server
