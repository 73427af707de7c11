#include "model_server/answers.hpp"

#include <array>
#include <boost/json/serialize.hpp>
#include <utility>

#include "model_server/version.hpp"
#include "service/number.hpp"

namespace model_server {
namespace {

constexpr unsigned kServiceUnavailable = 503;

/// A tensor of any number of rows; the other dimensions are those of `shape`.
std::string tensor_json(std::string_view name, std::span<const std::size_t> shape) {
  std::string json = R"({"name":)" + json_string(name) + R"(,"datatype":"FP32","shape":[-1)";
  for (const auto size : shape.subspan(1)) json.append(",").append(std::to_string(size));
  return json + "]}";
}

}  // namespace

std::string json_string(std::string_view text) {
  return boost::json::serialize(boost::json::string_view(text.data(), text.size()));
}

http::Response json_response(unsigned status, std::string json) {
  auto response = http::text_response(status, std::move(json));
  response.content_type = "application/json";
  if (status == kServiceUnavailable) response.retry_after = "1";
  return response;
}

http::Response error_response(unsigned status, std::string_view problem) {
  return json_response(status, R"({"error":)" + json_string(problem) + "}");
}

http::Response error_response(const Rejection& rejection) {
  const auto& [status, reason, field, problem] = rejection;
  return json_response(status, R"({"error":)" + json_string(field + " " + problem) +
                                   R"(,"field":)" + json_string(field) + R"(,"reason":)" +
                                   json_string(kReasonNames.at(static_cast<std::size_t>(reason))) +
                                   "}");
}

std::string prediction_json(float prediction) {
  return R"({"prediction_result":")" + service::shortest(prediction) + R"("})";
}

std::string inference_json(const Manifest& manifest, const InferenceRequest& request,
                           std::span<const float> predictions) {
  std::string json = R"({"model_name":)" + json_string(manifest.name) + R"(,"model_version":)" +
                     json_string(manifest.version);
  if (request.id) json += R"(,"id":)" + json_string(*request.id);
  json += R"(,"outputs":[{"name":)" + json_string(manifest.output.name) +
          R"(,"datatype":"FP32","shape":[)" + std::to_string(predictions.size()) + R"(,1],"data":)";
  char separator = '[';
  for (const auto prediction : predictions) {
    json.append(1, std::exchange(separator, ',')).append(service::shortest(prediction));
  }
  return json + "]}]}";
}

std::string server_json() {
  return R"({"name":"model_server","version":)" + json_string(kVersion) + R"(,"extensions":[]})";
}

std::string model_json(const Manifest& manifest, std::string_view platform) {
  constexpr std::array<std::size_t, 2> kOnePrediction = {1, 1};
  return R"({"name":)" + json_string(manifest.name) + R"(,"versions":[)" +
         json_string(manifest.version) + R"(],"platform":)" + json_string(platform) +
         R"(,"inputs":[)" + tensor_json(manifest.input.name, manifest.input.shape) +
         R"(],"outputs":[)" + tensor_json(manifest.output.name, kOnePrediction) + "]}";
}

}  // namespace model_server
