// POST /prediction: what is read, and what is refused.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "model_server/inference_request.hpp"

using model_server::InferenceRequest;
using model_server::parse_prediction;
using model_server::Reason;
using model_server::Rejection;

namespace {

const model_server::Tensor kSixSteps = {.name = "input", .shape = {1, 6, 1}};
constexpr const char* kForm = "application/x-www-form-urlencoded";
constexpr const char* kJson = "application/json";

struct Refused {
  const char* type;
  std::string body;
  unsigned status;
  Reason reason;
  const char* field;
};

std::string in_json(const std::string& inputs) { return "{\"inputs\": " + inputs + "}"; }

}  // namespace

TEST_CASE("a prediction is asked for by a form or by JSON, in any nesting of the six values") {
  const auto [type, body] = GENERATE(table<const char*, std::string>({
      {kJson, in_json("[[[1,2,3,4,5,6]]]")},
      {kJson, in_json("[[[1],[2],[3],[4],[5],[6]]]")},
      {kJson, in_json("[[[1e0], [2.0], [30e-1], [4], [5], [6]]]")},
      {kJson, "{\"x\": {}, \"inputs\": [[[1,2,3,4,5,6]]], \"y\": null}"},
      {kJson, "{\"\\u0069nputs\": [[[1,2,3,4,5,6]]], \"\\\\u0069nputs\": null}"},
      {"Application/JSON; charset=utf-8", in_json("[[[1,2,3,4,5,6]]]")},
      {kForm, "inputs=%5B%5B%5B1%2C+2%2C+3%2C+4%2C+5%2C+6%5D%5D%5D"},
      {kForm, "inputs=[[[1],[2],[3],[4],[5],[6]]]"},
      {kForm, "a=b&inputs=[[[1,2,3,4,5,6]]]&"},
      {"application/x-www-form-urlencoded ;charset=utf-8", "inputs=[[[1,2,3,4,5,6]]]"},
  }));
  INFO(type << ' ' << body);
  const auto parsed = parse_prediction(type, body, kSixSteps);
  REQUIRE(std::holds_alternative<InferenceRequest>(parsed));
  const auto& request = std::get<InferenceRequest>(parsed);
  CHECK(request.values == std::vector<double>{1, 2, 3, 4, 5, 6});
  CHECK(request.rows == 1);
  CHECK_FALSE(request.id);
  CHECK(request.series.empty());
}

TEST_CASE("the largest float and the smallest number are inputs like any other") {
  const auto parsed = parse_prediction(
      kJson, in_json("[[[3.4028234e38,-3.4028234e38,1e-45,5e-324,-0.0,0]]]"), kSixSteps);
  REQUIRE(std::holds_alternative<InferenceRequest>(parsed));
  CHECK(std::get<InferenceRequest>(parsed).values[3] == 5e-324);
}

TEST_CASE("a prediction is refused with the field and the reason") {
  const std::string deep = std::string(100'000, '[');
  const Refused cases[] = {
      {"", in_json("[[[1,2,3,4,5,6]]]"), 415, Reason::type, "Content-Type"},
      {"text/plain", in_json("[[[1,2,3,4,5,6]]]"), 415, Reason::type, "Content-Type"},
      {"multipart/form-data; boundary=x", "--x--", 415, Reason::type, "Content-Type"},
      {"application/jsonl", "", 415, Reason::type, "Content-Type"},
      {kJson, "", 400, Reason::json, "body"},
      {kJson, "{", 400, Reason::json, "body"},
      {kJson, "\xEF\xBB\xBF{}", 400, Reason::json, "body"},
      {kJson, in_json("[[[1,2,3,4,5,6]]]") + "x", 400, Reason::json, "body"},
      {kJson, in_json("[[[1,2,3,4,5,6,]]]"), 400, Reason::json, "body"},
      {kJson, in_json("[[[1,2,3,4,5,NaN]]]"), 400, Reason::nonfinite, "inputs[0][0][5]"},
      {kJson, in_json("[[[1,Infinity,3,4,5,6]]]"), 400, Reason::nonfinite, "inputs[0][0][1]"},
      {kJson, in_json("[[[-Infinity],[2],[3],[4],[5],[6]]]"), 400, Reason::nonfinite,
       "inputs[0][0][0]"},
      {kJson, in_json("[[[1,2,3,4,5,NaN,7]]]"), 400, Reason::json, "body"},
      {kJson, in_json("NaN"), 400, Reason::json, "body"},
      {kJson, "{\"inputs\": [[[1,2,3,4,5,6]]], \"inputs\": [[[1,2,3,4,5,7]]]}", 400, Reason::shape,
       "inputs"},
      {kJson, "{\"inputs\": [[[1,2,3,4,5,6]]], \"\\u0069nputs\": [[[1,2,3,4,5,7]]]}", 400,
       Reason::shape, "inputs"},
      {kJson, "{\"\\/\": 1, \"/\": 2, \"inputs\": [[[1,2,3,4,5,6]]]}", 400, Reason::shape, "/"},
      {kJson, "{\"\\ud83d\\ude00\": 1, \"\xF0\x9F\x98\x80\": NaN}", 400, Reason::shape,
       "\xF0\x9F\x98\x80"},
      {kJson, in_json("[[[1,2,3,4,5,+6]]]"), 400, Reason::json, "body"},
      {kJson, in_json("[[[1,2,3,4,5,0x6]]]"), 400, Reason::json, "body"},
      {kJson, in_json("[[[1,2,3,4,5,06]]]"), 400, Reason::json, "body"},
      {kJson, "{'inputs': [[[1,2,3,4,5,6]]]}", 400, Reason::json, "body"},
      {kJson, in_json("\"\xFF\""), 400, Reason::json, "body"},
      {kJson, in_json("/* */ 1"), 400, Reason::json, "body"},
      {kJson, deep, 400, Reason::json, "body"},
      {kJson, in_json(deep), 400, Reason::json, "body"},
      {kJson, "[[[1,2,3,4,5,6]]]", 400, Reason::type, "body"},
      {kJson, "null", 400, Reason::type, "body"},
      {kJson, "{}", 400, Reason::shape, "inputs"},
      {kJson, "{\"Inputs\": [[[1,2,3,4,5,6]]]}", 400, Reason::shape, "inputs"},
      {kJson, in_json("null"), 400, Reason::type, "inputs"},
      {kJson, in_json("\"[[[1,2,3,4,5,6]]]\""), 400, Reason::type, "inputs"},
      {kJson, in_json("1"), 400, Reason::type, "inputs"},
      {kJson, in_json("{}"), 400, Reason::type, "inputs"},
      {kJson, in_json("[]"), 400, Reason::shape, "inputs"},
      {kJson, in_json("[[[]]]"), 400, Reason::shape, "inputs"},
      {kJson, in_json("[1,2,3,4,5,6]"), 400, Reason::shape, "inputs"},
      {kJson, in_json("[[1,2,3,4,5,6]]"), 400, Reason::shape, "inputs"},
      {kJson, in_json("[[[[1,2,3,4,5,6]]]]"), 400, Reason::shape, "inputs"},
      {kJson, in_json("[[[1,2,3,4,5]]]"), 400, Reason::shape, "inputs"},
      {kJson, in_json("[[[1,2,3,4,5,6,7]]]"), 400, Reason::shape, "inputs"},
      {kJson, in_json("[[[1,2,3],[4,5,6]]]"), 400, Reason::shape, "inputs"},
      {kJson, in_json("[[[1,2,3,4,5,6]],[[1,2,3,4,5,6]]]"), 400, Reason::shape, "inputs"},
      {kJson, in_json("[[[1],[2],[3],[4],[5],[6,7]]]"), 400, Reason::shape, "inputs[0][5]"},
      {kJson, in_json("[[[1],[2],[3],[4],5,[6]]]"), 400, Reason::shape, "inputs[0][4]"},
      {kJson, in_json("[[[1],[2],[3],[4],[[5]],[6]]]"), 400, Reason::shape, "inputs[0][4][0]"},
      {kJson, in_json("[[[1],[2],[3],[4],null,[6]]]"), 400, Reason::type, "inputs[0][4]"},
      {kJson, in_json("[[[1,2,3,\"4\",5,6]]]"), 400, Reason::type, "inputs[0][0][3]"},
      {kJson, in_json("[[[1,2,3,4,5,null]]]"), 400, Reason::type, "inputs[0][0][5]"},
      {kJson, in_json("[[[true,2,3,4,5,6]]]"), 400, Reason::type, "inputs[0][0][0]"},
      {kJson, in_json("[[[1,{},3,4,5,6]]]"), 400, Reason::type, "inputs[0][0][1]"},
      {kJson, in_json("[[[1,2,1e999,4,5,6]]]"), 400, Reason::nonfinite, "inputs[0][0][2]"},
      {kJson, in_json("[[[1,2,-1e999,4,5,6]]]"), 400, Reason::nonfinite, "inputs[0][0][2]"},
      {kJson, in_json("[[[1,2,3,4,5,1e39]]]"), 400, Reason::nonfinite, "inputs[0][0][5]"},
      {kJson, in_json("[[[1,2,3,4,5,-3.5e38]]]"), 400, Reason::nonfinite, "inputs[0][0][5]"},
      {kForm, "", 400, Reason::shape, "inputs"},
      {kForm, "input=[[[1,2,3,4,5,6]]]", 400, Reason::shape, "inputs"},
      {kForm, "inputs=1&inputs=1", 400, Reason::shape, "inputs"},
      {kForm, "inputs=%5", 400, Reason::shape, "body"},
      {kForm, "inputs=%zz", 400, Reason::shape, "body"},
      {kForm, "inputs=", 400, Reason::json, "inputs"},
      {kForm, "inputs=[[[1,2,3,4,5,NaN]]]", 400, Reason::nonfinite, "inputs[0][0][5]"},
      {kForm, "inputs=[[[1,2,3,4,5,%2DInfinity]]]", 400, Reason::nonfinite, "inputs[0][0][5]"},
      {kForm, "inputs=[[[1,2,3,4,5,%00]]]", 400, Reason::json, "inputs"},
      {kForm, "inputs=" + deep, 400, Reason::json, "inputs"},
      {kForm, "inputs=[[[1,2,3,4,5,1e999]]]", 400, Reason::nonfinite, "inputs[0][0][5]"},
      {kForm, "{\"inputs\": [[[1,2,3,4,5,6]]]}", 400, Reason::shape, "inputs"},
  };
  for (const auto& [type, body, status, reason, field] : cases) {
    INFO(type << ' ' << body.substr(0, 100));
    const auto parsed = parse_prediction(type, body, kSixSteps);
    REQUIRE(std::holds_alternative<Rejection>(parsed));
    const auto& rejection = std::get<Rejection>(parsed);
    CHECK(rejection.status == status);
    CHECK(rejection.reason == reason);
    CHECK(rejection.field == field);
    CHECK_FALSE(rejection.problem.empty());
  }
}

TEST_CASE("parse_prediction survives any truncation and any damage") {
  for (const auto* type : {kJson, kForm}) {
    const auto whole = type == kJson ? in_json("[[[1.5,-2e3,3],[4,5,6]]]")
                                     : std::string("inputs=%5B[[1.5,-2e3,3],[4,5,6]%5D]&a");
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
      const std::vector<char> text(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut));
      (void)parse_prediction(type, {text.data(), text.size()}, kSixSteps);
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        auto damaged = whole;
        damaged[at] = static_cast<char>(byte);
        (void)parse_prediction(type, damaged, kSixSteps);
      }
    }
  }
}
