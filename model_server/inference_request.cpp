#include "model_server/inference_request.hpp"

#include <algorithm>
#include <boost/json/value.hpp>
#include <span>
#include <utility>

#include "http/negotiation.hpp"
#include "http/target.hpp"
#include "model_server/document.hpp"
#include "model_server/numbers.hpp"

namespace model_server {
namespace {

namespace json = boost::json;

constexpr unsigned kUnsupportedType = 415;
constexpr std::string_view kBody = "body";
constexpr std::string_view kInput = "inputs[0]";

using Problem = std::optional<Rejection>;
using Shape = std::vector<std::size_t>;

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

Read<Document> parse_object(std::string_view text) {
  auto document = parse_document(text, kBody);
  const auto* parsed = std::get_if<Document>(&document);
  if (parsed != nullptr && !parsed->value.is_object()) {
    return reject(Reason::type, kBody, "is not a JSON object");
  }
  return document;
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
Read<std::string> read_text(const json::object& object, std::string_view name,
                            std::string_view field) {
  const auto* value = object.if_contains({name.data(), name.size()});
  if (value == nullptr) return "";
  const auto* string = value->if_string();
  if (string == nullptr) return reject(Reason::type, field, "is not a string");
  if (string->size() > kMostTextBytes) {
    return reject(Reason::too_large, field, "is longer than 256 bytes");
  }
  return std::string(string->data(), string->size());
}

/// A string member that can have only one value.
Problem expect_text(const json::object& object, std::string_view name, std::string_view field,
                    std::string_view wanted) {
  if (!object.contains({name.data(), name.size()})) {
    return reject(Reason::shape, field, "is missing");
  }
  const auto text = read_text(object, name, field);
  if (const auto* problem = rejection_in(text)) return *problem;
  if (std::get<std::string>(text) == wanted) return std::nullopt;
  return reject(Reason::shape, field, "is not " + std::string(wanted));
}

Read<std::size_t> read_dimension(const json::value& dimension, std::string_view field) {
  if (!dimension.is_int64() && !dimension.is_uint64()) {
    return reject(Reason::type, field, "is not of whole numbers");
  }
  json::error_code error;
  const auto size = dimension.to_number<std::int64_t>(error);
  if (error) return reject(Reason::too_large, field, "is too large");
  if (size < 1) return reject(Reason::shape, field, "has a dimension below 1");
  return static_cast<std::size_t>(size);
}

/// `shape` of an input: that of the model, but for the number of rows in front.
Read<Shape> read_shape(const json::object& object, const Tensor& input) {
  const auto field = member_of(kInput, "shape");
  const auto* value = object.if_contains("shape");
  if (value == nullptr) return reject(Reason::shape, field, "is missing");
  const auto* list = value->if_array();
  if (list == nullptr) return reject(Reason::type, field, "is not a list");
  if (list->size() != input.shape.size()) {
    return reject(Reason::shape, field,
                  "has not " + std::to_string(input.shape.size()) + " dimensions");
  }
  Shape shape;
  for (const auto& value_of_one : *list) {
    const auto dimension = read_dimension(value_of_one, field);
    if (const auto* problem = rejection_in(dimension)) return *problem;
    shape.push_back(std::get<std::size_t>(dimension));
  }
  if (!std::equal(shape.begin() + 1, shape.end(), input.shape.begin() + 1)) {
    auto wanted = to_text(input.shape);
    return reject(Reason::shape, field, "is not " + wanted.replace(1, 1, "n"));
  }
  if (shape.front() > kMostRows) return reject(Reason::too_large, field, "is over 1024 rows");
  return shape;
}

/// `data` may be nested as the shape says, or flat.
Read<std::vector<double>> read_data(const json::object& object, const Shape& shape,
                                    std::size_t size) {
  const auto field = member_of(kInput, "data");
  const auto* data = object.if_contains("data");
  if (data == nullptr) return reject(Reason::shape, field, "is missing");
  const auto* list = data->if_array();
  const bool is_nested = list != nullptr && !list->empty() && list->front().is_array();
  const Shape flat = {size};
  return NumberReader(field).read(*data, is_nested ? shape : flat);
}

/// The rows and their values.
Read<InferenceRequest> read_inputs(const json::object& body, const Tensor& input) {
  const auto* value = body.if_contains("inputs");
  if (value == nullptr) return reject(Reason::shape, "inputs", "is missing");
  const auto* list = value->if_array();
  if (list == nullptr) return reject(Reason::type, "inputs", "is not a list");
  if (list->size() != 1) return reject(Reason::shape, "inputs", "is not one input");
  const auto* object = list->front().if_object();
  if (object == nullptr) return reject(Reason::type, kInput, "is not an object");
  if (auto problem = expect_text(*object, "name", member_of(kInput, "name"), input.name)) {
    return *std::move(problem);
  }
  if (auto problem = expect_text(*object, "datatype", member_of(kInput, "datatype"), "FP32")) {
    return *std::move(problem);
  }
  const auto shape = read_shape(*object, input);
  if (const auto* problem = rejection_in(shape)) return *problem;
  const auto& sizes = std::get<Shape>(shape);
  auto values = read_data(*object, sizes, sizes.front() * input.size());
  if (const auto* problem = rejection_in(values)) return *problem;
  return InferenceRequest{.values = std::get<std::vector<double>>(std::move(values)),
                          .rows = sizes.front(),
                          .id = {},
                          .series = {}};
}

Read<std::string> read_series(const json::object& body) {
  const auto* parameters = body.if_contains("parameters");
  if (parameters == nullptr) return "";
  const auto* object = parameters->if_object();
  if (object == nullptr) return reject(Reason::type, "parameters", "is not an object");
  return read_text(*object, "series", "parameters.series");
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
Read<std::string> read_form(std::string_view body) {
  auto parameters = http::parse_parameters(body);
  if (!parameters) return reject(Reason::shape, kBody, "is not a form of at most 64 fields");
  const auto is_inputs = [](const http::Parameter& parameter) {
    return parameter.name == "inputs";
  };
  const auto count = std::count_if(parameters->begin(), parameters->end(), is_inputs);
  if (count != 1) {
    return reject(Reason::shape, "inputs", count == 0 ? "is missing" : "is there more than once");
  }
  return std::move(std::find_if(parameters->begin(), parameters->end(), is_inputs)->value);
}

/// `inputs` of a prediction, wherever it stands.
Read<Document> find_inputs(std::string_view content_type, std::string_view body) {
  const auto type = media_type(content_type);
  if (http::equal_ignoring_case(type, "application/x-www-form-urlencoded")) {
    const auto text = read_form(body);
    if (const auto* problem = rejection_in(text)) return *problem;
    return parse_document(std::get<std::string>(text), "inputs");
  }
  if (!http::equal_ignoring_case(type, "application/json")) {
    return reject_content_type("application/x-www-form-urlencoded or application/json");
  }
  auto parsed = parse_object(body);
  if (rejection_in(parsed) != nullptr) return parsed;
  auto& document = std::get<Document>(parsed);
  auto* member = document.value.get_object().if_contains("inputs");
  if (member == nullptr) return reject(Reason::shape, "inputs", "is missing");
  return Document{.value = std::move(*member), .flaw = std::move(document.flaw)};
}

ParsedRequest read_prediction(const json::value& inputs, const Tensor& input) {
  if (!inputs.is_array()) return reject(Reason::type, "inputs", "is not a list");
  const auto shape = outer_shape(inputs, input.shape.size() + 1);
  if (shape.size() != input.shape.size() || without_ones(shape) != without_ones(input.shape)) {
    return reject(Reason::shape, "inputs",
                  "begins like " + to_text(shape) + ", not like " + to_text(input.shape));
  }
  auto values = NumberReader("inputs").read(inputs, shape);
  if (const auto* problem = rejection_in(values)) return *problem;
  return InferenceRequest{.values = std::get<std::vector<double>>(std::move(values)),
                          .rows = 1,
                          .id = {},
                          .series = {}};
}

ParsedRequest read_inference(const json::object& object, const Manifest& manifest) {
  const auto id = read_text(object, "id", "id");
  if (const auto* problem = rejection_in(id)) return *problem;
  auto series = read_series(object);
  if (const auto* problem = rejection_in(series)) return *problem;
  if (auto problem = check_outputs(object, manifest.output)) return *std::move(problem);
  auto request = read_inputs(object, manifest.input);
  if (rejection_in(request) != nullptr) return request;
  auto& read = std::get<InferenceRequest>(request);
  if (object.contains("id")) read.id = std::get<std::string>(id);
  read.series = std::get<std::string>(std::move(series));
  return request;
}

/// A NaN or an Infinity is refused wherever it stands; among the values it has been already.
ParsedRequest refuse_flaw(ParsedRequest parsed, const Document& document) {
  const auto* rejection = rejection_in(parsed);
  const bool is_told = rejection != nullptr && rejection->reason == Reason::nonfinite;
  if (document.flaw && !is_told) return *document.flaw;
  return parsed;
}

}  // namespace

ParsedRequest parse_prediction(std::string_view content_type, std::string_view body,
                               const Tensor& input) {
  const auto inputs = find_inputs(content_type, body);
  if (const auto* problem = rejection_in(inputs)) return *problem;
  const auto& document = std::get<Document>(inputs);
  return refuse_flaw(read_prediction(document.value, input), document);
}

ParsedRequest parse_inference(std::string_view content_type, std::string_view body,
                              const Manifest& manifest) {
  const auto type = media_type(content_type);
  if (!type.empty() && !http::equal_ignoring_case(type, "application/json")) {
    return reject_content_type("application/json");
  }
  const auto parsed = parse_object(body);
  if (const auto* problem = rejection_in(parsed)) return *problem;
  const auto& document = std::get<Document>(parsed);
  return refuse_flaw(read_inference(document.value.get_object(), manifest), document);
}

}  // namespace model_server
