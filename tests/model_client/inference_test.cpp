#include "model_server/client/inference.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using model_client::description_path;
using model_client::inference_body;
using model_client::read_inference;
using model_client::read_input_tensor;

TEST_CASE("a model is described above where it infers") {
  CHECK(description_path("/v2/models/bts/infer") == "/v2/models/bts");
  CHECK(description_path("/v2/models/bts/versions/1/infer") == "/v2/models/bts/versions/1");
  const auto* path =
      GENERATE("/prediction", "/", "/v2/models/bts", "/v2/models//infer/x", "/v2/models/infer");
  INFO(path);
  CHECK_FALSE(description_path(path));
}

TEST_CASE("the input of a model is read from its description") {
  const auto tensor = read_input_tensor(
      R"({"name":"bts","versions":["1"],"inputs":[{"name":"x","datatype":"FP32","shape":[-1,6,1]}]})");
  REQUIRE(tensor);
  CHECK(tensor->name == "x");
  CHECK(tensor->shape == std::vector<std::size_t>{1, 6, 1});
}

TEST_CASE("what describes no input is refused") {
  const auto* text = GENERATE(
      "", "[]", "{}", R"({"inputs":[]})", R"({"inputs":{}})", R"({"inputs":[7]})",
      R"({"inputs":[{"name":"x"}]})", R"({"inputs":[{"shape":[1,6]}]})",
      R"({"inputs":[{"name":7,"shape":[1,6]}]})", R"({"inputs":[{"name":"x","shape":6}]})",
      R"({"inputs":[{"name":"x","shape":[]}]})", R"({"inputs":[{"name":"x","shape":[1,-6]}]})",
      R"({"inputs":[{"name":"x","shape":[1,"6"]}]})");
  INFO(text);
  CHECK_FALSE(read_input_tensor(text));
}

TEST_CASE("one row is asked for, with the name of its series") {
  const model_client::InputTensor tensor{.name = "input", .shape = {1, 3, 1}};
  const std::vector<double> input = {0.5, -1, 1e-7};
  CHECK(inference_body(tensor, input, "cell \"4\"") ==
        R"({"parameters":{"series":"cell \"4\""},"inputs":[{"name":"input","datatype":"FP32",)"
        R"("shape":[1,3,1],"data":[0.5,-1,1e-07]}]})");
  CHECK(inference_body(tensor, input, "").starts_with(R"({"inputs":[)"));
}

TEST_CASE("a prediction is read from an inference") {
  CHECK(read_inference(R"({"outputs":[{"name":"output","shape":[1,1],"data":[0.25]}]})") == 0.25);
  CHECK(read_inference(R"({"model_name":"a","outputs":[{"data":[2,3]}]})") == 2.0);
  const auto* body =
      GENERATE("", "0.25", "{}", R"({"outputs":[]})", R"({"outputs":[{}]})",
               R"({"outputs":[{"data":[]}]})", R"({"outputs":[{"data":["1"]}]})",
               R"({"outputs":[{"data":[null]}]})", R"({"outputs":[{"data":[1e999]}]})",
               R"({"prediction_result":"0.25"})", R"({"outputs":[{"data":[1)");
  INFO(body);
  CHECK_FALSE(read_inference(body));
}

TEST_CASE("reading an inference or a description survives any truncation and damage") {
  const std::string whole =
      R"({"inputs":[{"name":"x","shape":[-1,6]}],"outputs":[{"name":"\u00e9","data":[0.25]}]})";
  for (std::size_t at = 0; at < whole.size(); ++at) {
    const auto cut = std::string_view(whole).substr(0, at);
    CHECK_FALSE(read_inference(cut));
    CHECK_FALSE(read_input_tensor(cut));
    auto damaged = whole;
    damaged[at] = '\xFF';
    (void)read_inference(damaged);
    (void)read_input_tensor(damaged);
  }
}
