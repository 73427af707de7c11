// The JSON that clients get. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "http/server.hpp"
#include "model_server/inference_request.hpp"
#include "model_server/manifest.hpp"

namespace model_server {

/// `text` as a JSON string, with its quotes; one line, whatever the bytes.
std::string json_string(std::string_view text);

/// With a status of 503 the client is told to come back in a second.
http::Response json_response(unsigned status, std::string json);

/// {"error":"..."}.
http::Response error_response(unsigned status, std::string_view problem);

/// The same with "field" and "reason".
http::Response error_response(const Rejection& rejection);

/// {"prediction_result":"..."}: a string, as clients of the first server of this kind expect.
std::string prediction_json(float prediction);

/// The answer to an inference of the Open Inference Protocol, one prediction for each row.
std::string inference_json(const Manifest& manifest, const InferenceRequest& request,
                           std::span<const float> predictions);

std::string server_json();
std::string model_json(const Manifest& manifest, std::string_view platform);

}  // namespace model_server
