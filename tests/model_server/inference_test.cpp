// The Open Inference Protocol: what is read, and what is refused.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "model_server/inference_request.hpp"
#include "tests/support/model_files.hpp"

using model_server::InferenceRequest;
using model_server::kMostRows;
using model_server::parse_inference;
using model_server::Reason;
using model_server::Rejection;
using tests::with;

namespace {

/// Of the model that tests::kManifest describes: two values in a row.
constexpr std::string_view kBody =
    R"({"id": "7", "inputs": [{"name": "in", "shape": [2, 2], "datatype": "FP32",)"
    R"( "data": [1, 2, 3, 4]}]})";
constexpr const char* kData = "[1, 2, 3, 4]";
constexpr const char* kShape = "[2, 2]";

model_server::ParsedRequest parse(std::string_view body, std::string_view type = "") {
  static const auto manifest = model_server::parse_manifest(tests::kManifest);
  return parse_inference(type, body, manifest);
}

struct RefusedChange {
  const char* old;
  std::string replacement;
  unsigned status;
  Reason reason;
  const char* field;
};

std::string rows(std::size_t count) {
  std::string data = "[";
  for (std::size_t i = 0; i < count; ++i) data += i == 0 ? "[0,0]" : ",[0,0]";
  return with(with(kBody, kShape, "[" + std::to_string(count) + ",2]"), kData, data + "]");
}

}  // namespace

TEST_CASE("a batch of rows is asked for, flat or nested") {
  const auto [type, body] = GENERATE(table<const char*, std::string>({
      {"", std::string(kBody)},
      {"application/json", std::string(kBody)},
      {"application/json; charset=utf-8", with(kBody, kData, "[[1, 2], [3, 4]]")},
      {"", with(kBody, "\"id\"", "\"outputs\": [{\"name\": \"out\"}], \"id\"")},
      {"", with(kBody, "\"id\"", "\"outputs\": [], \"parameters\": {}, \"more\": 1, \"id\"")},
      {"", with(kBody, "\"id\"", R"("NaN": ["NaN\"", {"a": 1}, {"a": "a"}, "a", "a"], "id")")},
  }));
  INFO(type << ' ' << body);
  const auto parsed = parse(body, type);
  REQUIRE(std::holds_alternative<InferenceRequest>(parsed));
  const auto& request = std::get<InferenceRequest>(parsed);
  CHECK(request.rows == 2);
  CHECK(request.values == std::vector<double>{1, 2, 3, 4});
  CHECK(request.id == "7");
  CHECK(request.series.empty());
}

TEST_CASE("an id and a series are the client's to leave out") {
  const auto named =
      parse(with(kBody, "\"id\": \"7\"", "\"parameters\": {\"series\": \"cell 4\", \"x\": 1}"));
  REQUIRE(std::holds_alternative<InferenceRequest>(named));
  CHECK_FALSE(std::get<InferenceRequest>(named).id);
  CHECK(std::get<InferenceRequest>(named).series == "cell 4");
}

TEST_CASE("as many rows as the limit are taken, and no more") {
  CHECK(std::get<InferenceRequest>(parse(rows(kMostRows))).rows == kMostRows);
  CHECK(std::get<Rejection>(parse(rows(kMostRows + 1))).reason == Reason::too_large);
}

TEST_CASE("an inference is refused with the field and the reason") {
  const std::string long_text = "\"" + std::string(257, 'x') + "\"";
  const RefusedChange cases[] = {
      {"{", "", 400, Reason::json, "body"},
      {"{\"id\"", "[{\"id\"", 400, Reason::json, "body"},
      {kData, "[1, 2, 3, NaN]", 400, Reason::nonfinite, "inputs[0].data[3]"},
      {kData, "[[1, 2], [-Infinity, 3]]", 400, Reason::nonfinite, "inputs[0].data[1][0]"},
      {kData, "[1, 2, 3, nan]", 400, Reason::json, "body"},
      {kData, "[1, 2, 3, NaN", 400, Reason::json, "body"},
      {kData, "[1, 2, 3, 4], \"x\": NaN", 400, Reason::json, "body"},
      {kData, "[1, 2, 3, 4], \"x\": \"NaN", 400, Reason::json, "body"},
      {kData, "[1, 2, 3, 4], \"data\": []", 400, Reason::shape, "data"},
      {"{\"id\"", "{\"inputs\" : [], \"id\"", 400, Reason::shape, "inputs"},
      {"\"7\"", std::string(1000, '['), 400, Reason::json, "body"},
      {"\"7\"", "7", 400, Reason::type, "id"},
      {"\"7\"", "null", 400, Reason::type, "id"},
      {"\"7\"", long_text, 413, Reason::too_large, "id"},
      {"\"7\"", "\"7\", \"parameters\": []", 400, Reason::type, "parameters"},
      {"\"7\"", "\"7\", \"parameters\": {\"series\": 1}", 400, Reason::type, "parameters.series"},
      {"\"7\"", "\"7\", \"parameters\": {\"series\": " + long_text + "}", 413, Reason::too_large,
       "parameters.series"},
      {"\"7\"", "\"7\", \"outputs\": {}", 400, Reason::type, "outputs"},
      {"\"7\"", "\"7\", \"outputs\": [1]", 400, Reason::type, "outputs[0]"},
      {"\"7\"", "\"7\", \"outputs\": [{\"name\": \"in\"}]", 400, Reason::shape, "outputs[0].name"},
      {"\"7\"", "\"7\", \"outputs\": [{}, {}]", 400, Reason::shape, "outputs"},
      {"\"inputs\"", "\"input\"", 400, Reason::shape, "inputs"},
      {"[{\"name\"", "[[{\"name\"", 400, Reason::json, "body"},
      {"[{\"name\"", "[{}, {\"name\"", 400, Reason::shape, "inputs"},
      {"[{\"name\"", "[1], \"x\": [{\"name\"", 400, Reason::type, "inputs[0]"},
      {"[{\"name\"", "{}, \"x\": [{\"name\"", 400, Reason::type, "inputs"},
      {"[{\"name\"", "[], \"x\": [{\"name\"", 400, Reason::shape, "inputs"},
      {"\"name\": \"in\", ", "", 400, Reason::shape, "inputs[0].name"},
      {"\"in\"", "\"out\"", 400, Reason::shape, "inputs[0].name"},
      {"\"in\"", "1", 400, Reason::type, "inputs[0].name"},
      {"\"FP32\"", "\"FP64\"", 400, Reason::shape, "inputs[0].datatype"},
      {"\"FP32\"", "null", 400, Reason::type, "inputs[0].datatype"},
      {"\"shape\": [2, 2], ", "", 400, Reason::shape, "inputs[0].shape"},
      {kShape, "4", 400, Reason::type, "inputs[0].shape"},
      {kShape, "[4]", 400, Reason::shape, "inputs[0].shape"},
      {kShape, "[2, 2, 1]", 400, Reason::shape, "inputs[0].shape"},
      {kShape, "[1, 4]", 400, Reason::shape, "inputs[0].shape"},
      {kShape, "[0, 2]", 400, Reason::shape, "inputs[0].shape"},
      {kShape, "[-1, 2]", 400, Reason::shape, "inputs[0].shape"},
      {kShape, "[2.0, 2]", 400, Reason::type, "inputs[0].shape"},
      {kShape, "[\"2\", 2]", 400, Reason::type, "inputs[0].shape"},
      {kShape, "[18446744073709551615, 2]", 413, Reason::too_large, "inputs[0].shape"},
      {kShape, "[9223372036854775807, 2]", 413, Reason::too_large, "inputs[0].shape"},
      {kShape, "[3, 2]", 400, Reason::shape, "inputs[0].data"},
      {kShape, "[1, 2]", 400, Reason::shape, "inputs[0].data"},
      {", \"data\": [1, 2, 3, 4]", "", 400, Reason::shape, "inputs[0].data"},
      {kData, "\"1, 2, 3, 4\"", 400, Reason::type, "inputs[0].data"},
      {kData, "null", 400, Reason::type, "inputs[0].data"},
      {kData, "[]", 400, Reason::shape, "inputs[0].data"},
      {kData, "[1, 2, 3]", 400, Reason::shape, "inputs[0].data"},
      {kData, "[[1, 2, 3, 4]]", 400, Reason::shape, "inputs[0].data"},
      {kData, "[[1, 2], [3]]", 400, Reason::shape, "inputs[0].data[1]"},
      {kData, "[[1, 2], 3]", 400, Reason::shape, "inputs[0].data[1]"},
      {kData, "[[1, 2], [3, [4]]]", 400, Reason::shape, "inputs[0].data[1][1]"},
      {kData, "[1, 2, 3, [4]]", 400, Reason::shape, "inputs[0].data[3]"},
      {kData, "[1, 2, \"3\", 4]", 400, Reason::type, "inputs[0].data[2]"},
      {kData, "[1, false, 3, 4]", 400, Reason::type, "inputs[0].data[1]"},
      {kData, "[1, 2, 3, 1e39]", 400, Reason::nonfinite, "inputs[0].data[3]"},
      {kData, "[-1e999, 2, 3, 4]", 400, Reason::nonfinite, "inputs[0].data[0]"},
      {kData, "[[1, 2], [3, 1e400]]", 400, Reason::nonfinite, "inputs[0].data[1][1]"},
  };
  for (const auto& [old, replacement, status, reason, field] : cases) {
    const auto body = with(kBody, old, replacement);
    INFO(body.substr(0, 200));
    const auto parsed = parse(body);
    REQUIRE(std::holds_alternative<Rejection>(parsed));
    const auto& rejection = std::get<Rejection>(parsed);
    CHECK(rejection.status == status);
    CHECK(rejection.reason == reason);
    CHECK(rejection.field == field);
    CHECK_FALSE(rejection.problem.empty());
  }
}

TEST_CASE("an inference of another content type is refused") {
  const auto* type = GENERATE("text/plain", "application/x-www-form-urlencoded", "json",
                              "application/octet-stream", ";");
  const auto parsed = parse(kBody, type);
  if (std::string_view(type) == ";") {  // names no type
    CHECK(std::holds_alternative<InferenceRequest>(parsed));
    return;
  }
  REQUIRE(std::holds_alternative<Rejection>(parsed));
  CHECK(std::get<Rejection>(parsed).status == 415);
}

TEST_CASE("parse_inference survives any truncation and any damage") {
  const std::string whole = with(kBody, kData, "[[1, 2.5], [-3e1, 4]]");
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    const std::vector<char> text(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut));
    (void)parse({text.data(), text.size()});
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char byte : {'\0', '"', '}', ']', '[', '9', '-', 'e', ',', '\xFF'}) {
      auto damaged = whole;
      damaged[at] = byte;
      (void)parse(damaged);
    }
  }
}
