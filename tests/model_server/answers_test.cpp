#include "model_server/answers.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/model_files.hpp"

using model_server::InferenceRequest;

TEST_CASE("a prediction is a string of the shortest digits") {
  CHECK(model_server::prediction_json(0.1F) == R"({"prediction_result":"0.1"})");
  CHECK(model_server::prediction_json(-1) == R"({"prediction_result":"-1"})");
  CHECK(model_server::prediction_json(std::numeric_limits<float>::max()) ==
        R"({"prediction_result":"3.4028235e+38"})");
}

TEST_CASE("an inference echoes the id and has a prediction for each row") {
  const auto manifest = model_server::parse_manifest(tests::kManifest);
  const std::vector<float> predictions = {0.5F, -0.25F};
  CHECK(model_server::inference_json(manifest, {.values = {}, .id = "a\"\n", .series = {}},
                                     predictions) ==
        R"({"model_name":"pair","model_version":"2","id":"a\"\n","outputs":[{"name":"out",)"
        R"("datatype":"FP32","shape":[2,1],"data":[0.5,-0.25]}]})");
  CHECK(model_server::inference_json(manifest, {}, predictions).find("\"id\"") ==
        std::string::npos);
}

TEST_CASE("who is not served is told to come again") {
  CHECK(model_server::error_response(503, "full").retry_after == "1");
  CHECK(model_server::json_response(503, "{}").retry_after == "1");
  CHECK(model_server::error_response(500, "broken").retry_after.empty());
}

TEST_CASE("a quoted text is one line") {
  CHECK(model_server::json_string("a\"b\nc\x01") == R"("a\"b\nc\u0001")");
}

TEST_CASE("the model is described as the protocol wants") {
  const auto manifest = model_server::parse_manifest(tests::kManifest);
  CHECK(model_server::model_json(manifest, "onnx_opencv") ==
        R"({"name":"pair","versions":["2"],"platform":"onnx_opencv",)"
        R"("inputs":[{"name":"in","datatype":"FP32","shape":[-1,2]}],)"
        R"("outputs":[{"name":"out","datatype":"FP32","shape":[-1,1]}]})");
}

TEST_CASE("an error names the field and the reason") {
  const auto response = model_server::error_response({.status = 413,
                                                      .reason = model_server::Reason::too_large,
                                                      .field = "id",
                                                      .problem = "is \"long\""});
  CHECK(response.status == 413);
  CHECK(response.content_type == "application/json");
  CHECK(response.body == R"({"error":"id is \"long\"","field":"id","reason":"too_large"})");
}
