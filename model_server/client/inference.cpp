#include "model_server/client/inference.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "service/number.hpp"

namespace model_client {
namespace {

namespace json = boost::json;

constexpr std::string_view kModels = "/v2/models/";
constexpr std::string_view kInfer = "/infer";

std::string quoted(std::string_view text) {
  return json::serialize(json::string_view(text.data(), text.size()));
}

const json::value* member(const json::value& owner, std::string_view name) {
  const auto* object = owner.if_object();
  return object == nullptr ? nullptr : object->if_contains({name.data(), name.size()});
}

/// The first element of a list that is a member.
const json::value* first_of(const json::value& owner, std::string_view name) {
  const auto* value = member(owner, name);
  const auto* list = value == nullptr ? nullptr : value->if_array();
  return list == nullptr || list->empty() ? nullptr : &list->front();
}

/// The number of rows, which is often -1 for any, is 1 of a request of one row.
std::optional<std::vector<std::size_t>> read_row_shape(const json::value& shape) {
  const auto* list = shape.if_array();
  if (list == nullptr || list->empty()) return std::nullopt;
  std::vector<std::size_t> sizes = {1};
  for (const auto& dimension : *list) {
    if (&dimension == &list->front()) continue;
    json::error_code error;
    const auto size = dimension.to_number<std::size_t>(error);
    if (error) return std::nullopt;
    sizes.push_back(size);
  }
  return sizes;
}

}  // namespace

std::optional<std::string> description_path(std::string_view path) {
  if (!path.starts_with(kModels) || !path.ends_with(kInfer)) return std::nullopt;
  if (path.size() <= kModels.size() + kInfer.size()) return std::nullopt;
  return std::string(path.substr(0, path.size() - kInfer.size()));
}

std::optional<InputTensor> read_input_tensor(std::string_view description) {
  json::error_code error;
  const auto model = json::parse({description.data(), description.size()}, error);
  const auto* input = error ? nullptr : first_of(model, "inputs");
  if (input == nullptr) return std::nullopt;
  const auto* name = member(*input, "name");
  const auto* shape = member(*input, "shape");
  if (name == nullptr || !name->is_string() || shape == nullptr) return std::nullopt;
  auto sizes = read_row_shape(*shape);
  if (!sizes) return std::nullopt;
  const auto& text = name->get_string();
  return InputTensor{.name = {text.data(), text.size()}, .shape = *std::move(sizes)};
}

std::string inference_body(const InputTensor& tensor, std::span<const double> input,
                           std::string_view series) {
  std::string body = "{";
  if (!series.empty()) body += R"("parameters":{"series":)" + quoted(series) + "},";
  body += R"("inputs":[{"name":)" + quoted(tensor.name) + R"(,"datatype":"FP32","shape":[)";
  for (const auto size : tensor.shape) {
    body.append(body.back() == '[' ? "" : ",").append(std::to_string(size));
  }
  body += R"(],"data":[)";
  for (const double value : input) {
    body.append(body.back() == '[' ? "" : ",").append(service::shortest(value));
  }
  return body + "]}]}";
}

std::optional<double> read_inference(std::string_view body) {
  json::error_code error;
  const auto answer = json::parse({body.data(), body.size()}, error);
  const auto* output = error ? nullptr : first_of(answer, "outputs");
  const auto* value = output == nullptr ? nullptr : first_of(*output, "data");
  if (value == nullptr) return std::nullopt;
  const auto number = value->to_number<double>(error);
  if (error || !std::isfinite(number)) return std::nullopt;
  return number;
}

}  // namespace model_client
