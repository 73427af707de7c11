#include "model_server/routes.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "http/target.hpp"
#include "model_server/answers.hpp"

namespace model_server {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMostSeries = 1024;
constexpr std::string_view kPlatform = "onnx_opencv";

constexpr unsigned kLengthRequired = 411;
constexpr unsigned kPayloadTooLarge = 413;

std::string_view problem_of(unsigned status) {
  switch (status) {
    case kLengthRequired:
      return "body is chunked; send a Content-Length";
    case kPayloadTooLarge:
      return "body is larger than --web.max-body";
    default:
      return "the request is not valid HTTP or too large";
  }
}

std::vector<float> to_floats(const std::vector<double>& values) {
  std::vector<float> floats;
  floats.reserve(values.size());
  for (const double value : values) floats.push_back(static_cast<float>(value));
  return floats;
}

}  // namespace

Routes::Routes(const Manifest& manifest, WorkerPool& workers, MetricsPage& page,
               std::chrono::milliseconds deadline)
    : manifest_(manifest),
      workers_(workers),
      page_(page),
      deadline_(deadline),
      routes_({{"/prediction", Route::prediction},
               {"/health", Route::health},
               {"/metrics", Route::metrics},
               {"/v2", Route::server},
               {"/v2/health/live", Route::live},
               {"/v2/health/ready", Route::ready}}),
      series_(kMostSeries) {
  const auto model = "/v2/models/" + manifest.name;
  for (const auto& path : {model, model + "/versions/" + manifest.version}) {
    routes_[path] = Route::model;
    routes_[path + "/ready"] = Route::ready;
    routes_[path + "/infer"] = Route::inference;
  }
  page_.set_ready(true);
}

void Routes::stop() {
  is_stopping_ = true;
  page_.set_ready(false);
}

std::optional<Routes::Route> Routes::find(std::string_view path) const {
  const auto found = routes_.find(path);
  if (found == routes_.end()) return std::nullopt;
  return found->second;
}

asio::awaitable<http::Response> Routes::handle(const http::Request& request) {
  const auto target = http::parse_target(request.target);
  if (!target) co_return error_response(400, "the query is broken or has too many parameters");
  const auto route = find(target->path);
  if (!route) {
    co_return error_response(404,
                             "there is nothing here; see /prediction, /metrics, /health, /v2 "
                             "and /v2/models/" +
                                 manifest_.name);
  }
  const bool is_prediction = *route == Route::prediction || *route == Route::inference;
  const bool is_read = request.method == "GET" || request.method == "HEAD";
  if (is_prediction ? request.method != "POST" : !is_read) {
    auto response = error_response(405, "the method is not allowed here");
    response.allow = is_prediction ? "POST" : "GET, HEAD";
    co_return response;
  }
  if (!is_prediction) co_return get(*route);
  const auto api = *route == Route::prediction ? Api::seed : Api::v2;
  co_return co_await predict(api, request);
}

http::Response Routes::get(Route route) {
  switch (route) {
    case Route::health:
      return http::text_response(200, "live");
    case Route::live:
      return json_response(200, R"({"live":true})");
    case Route::ready:
      return is_stopping_ ? json_response(503, R"({"ready":false})")
                          : json_response(200, R"({"ready":true})");
    case Route::server:
      return json_response(200, server_json());
    case Route::model:
      return json_response(200, model_json(manifest_, kPlatform));
    default:
      return metrics();
  }
}

http::Response Routes::metrics() {
  if (const auto variance = ring_.variance()) page_.set_input_variance(*variance, ring_.size());
  auto response = http::text_response(200, page_.text());
  response.content_type = MetricsPage::kContentType;
  return response;
}

http::Response Routes::refuse(unsigned status, std::string_view target) {
  const auto route = find(target.substr(0, target.find('?')));
  const bool is_body = status == kPayloadTooLarge || status == kLengthRequired;
  if (is_body && (route == Route::prediction || route == Route::inference)) {
    page_.count_refused(*route == Route::prediction ? Api::seed : Api::v2);
    page_.count_rejection(status == kPayloadTooLarge ? Reason::too_large : Reason::type);
  }
  return error_response(status, problem_of(status));
}

asio::awaitable<http::Response> Routes::predict(Api api, const http::Request& request) {
  const auto begin = Clock::now();
  page_.request_began();
  auto answered = co_await answer(api, request, begin + deadline_);
  page_.request_ended(api, answered.result, Clock::now() - begin);
  co_return std::move(answered.response);
}

asio::awaitable<Routes::Answer> Routes::answer(Api api, const http::Request& request,
                                               Clock::time_point deadline) {
  const auto content_type = request.field("Content-Type");
  const auto parsed = api == Api::seed
                          ? parse_prediction(content_type, request.body, manifest_.input)
                          : parse_inference(content_type, request.body, manifest_);
  if (const auto* rejection = std::get_if<Rejection>(&parsed)) {
    page_.count_rejection(rejection->reason);
    co_return Answer{Result::bad_request, error_response(*rejection)};
  }
  const auto& wanted = std::get<InferenceRequest>(parsed);
  const auto inference = std::make_shared<Inference>(
      Inference{.inputs = to_floats(wanted.values), .rows = wanted.rows, .deadline = deadline});
  const auto ending = co_await workers_.run(inference);
  switch (ending) {
    case Ending::queue_full:
      co_return Answer{Result::overload, error_response(503, "too many requests are waiting")};
    case Ending::late:
      co_return Answer{Result::overload, error_response(503, "it was not done by its deadline")};
    case Ending::failed:
      spdlog::error(R"(msg="inference failed" problem="{}")", inference->failure);
      co_return Answer{Result::error, error_response(500, "the model failed; the log says more")};
    case Ending::done:
      break;
  }
  co_return conclude(api, wanted, *inference);
}

Routes::Answer Routes::conclude(Api api, const InferenceRequest& request,
                                const Inference& inference) {
  const auto& outputs = inference.outputs;
  const bool is_finite = std::all_of(outputs.begin(), outputs.end(),
                                     [](float output) { return std::isfinite(output); });
  if (!is_finite) return {Result::error, error_response(500, "the prediction is not finite")};
  remember(request, inference);
  return {Result::success,
          json_response(200, api == Api::seed ? prediction_json(outputs.front())
                                              : inference_json(manifest_, request, outputs))};
}

void Routes::remember(const InferenceRequest& request, const Inference& inference) {
  const std::span<const double> values = request.values;
  const auto size = manifest_.input.size();
  page_.observe_execution(request.rows, inference.begun_at - inference.queued_at,
                          inference.ended_at - inference.begun_at);
  ring_.push(values.first(size));
  for (std::size_t row = 0; row < request.rows; ++row) {
    const auto input = values.subspan(row * size, size);
    const double prediction = inference.outputs[row];
    page_.observe_input(input, prediction);
    if (request.series.empty()) continue;
    const auto errors = series_.predicted(request.series, input, prediction);
    if (errors) page_.observe_errors(*errors);
  }
}

}  // namespace model_server
