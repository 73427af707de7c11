#include "model_server/routes.hpp"

#include <prometheus/text_serializer.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iterator>
#include <utility>

#include "http/target.hpp"
#include "model_server/answers.hpp"

namespace model_server {
namespace {

namespace asio = boost::asio;

constexpr std::string_view kPlatform = "onnx_opencv";
constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
constexpr unsigned kUnavailable = 503;

/// What the server refuses before a handler sees it, in our words.
Rejection rejection_of(const http::Refused& refused) {
  struct Wording {
    unsigned status;
    std::string_view field;  // any when ""
    Reason reason;
    std::string_view problem;
  };
  constexpr std::array kWordings = {
      Wording{411, "", Reason::framing, "is not taken; send a Content-Length"},
      Wording{413, "", Reason::too_large, "is over --web.max-body"},
      Wording{414, "", Reason::framing, "is too long"},
      Wording{431, "", Reason::framing, "is too large"},
      Wording{kUnavailable, "", Reason::too_large, "and all others are too large together"},
      Wording{400, "Content-Length", Reason::framing, "is not one number of bytes"},
      Wording{400, "Transfer-Encoding", Reason::framing, "is not taken with a Content-Length"},
      Wording{400, "Host", Reason::framing, "is not there once"},
  };
  const auto* wording = std::find_if(kWordings.begin(), kWordings.end(), [&](const Wording& known) {
    return known.status == refused.status && (known.field.empty() || known.field == refused.field);
  });
  const bool is_known = wording != kWordings.end();
  return {.status = refused.status,
          .reason = is_known ? wording->reason : Reason::framing,
          .field = std::string(refused.field),
          .problem = std::string(is_known ? wording->problem : "is not valid HTTP")};
}

}  // namespace

Routes::Routes(Manifest manifest, std::chrono::milliseconds deadline)
    : manifest_(std::move(manifest)),
      deadline_(deadline),
      request_metrics_(std::make_shared<RequestMetrics>(labels_of(manifest_))) {
  name_model();
}

void Routes::name_model() {
  routes_ = {{"/prediction", Route::prediction}, {"/health", Route::health},
             {"/metrics", Route::metrics},       {"/v2", Route::server},
             {"/v2/health/live", Route::live},   {"/v2/health/ready", Route::ready}};
  const auto model = "/v2/models/" + manifest_.name;
  for (const auto& path : {model, model + "/versions/" + manifest_.version}) {
    routes_[path] = Route::model;
    routes_[path + "/ready"] = Route::ready;
    routes_[path + "/infer"] = Route::inference;
  }
}

void Routes::serve(std::shared_ptr<ServedModel> model) {
  const auto labels = labels_of(manifest_);
  manifest_ = model->manifest();
  if (labels_of(manifest_) != labels) {
    request_metrics_ = std::make_shared<RequestMetrics>(labels_of(manifest_));
    name_model();
  }
  model_ = std::move(model);
  request_metrics_->set_ready(is_ready());
  for (auto* alarm : waiting_) alarm->cancel();
}

void Routes::stop() {
  is_stopping_ = true;
  request_metrics_->set_ready(false);
}

std::optional<Routes::Route> Routes::find(std::string_view path) const {
  const auto found = routes_.find(path);
  if (found == routes_.end()) return std::nullopt;
  return found->second;
}

/// Nothing when it is not a target of predictions.
std::optional<Api> Routes::api_of(std::string_view target) const {
  const auto route = find(target.substr(0, target.find('?')));
  if (route == Route::prediction) return Api::seed;
  if (route == Route::inference) return Api::v2;
  return std::nullopt;
}

asio::awaitable<http::Response> Routes::handle(const http::Request& request) {
  const auto target = http::parse_target(request.target);
  if (!target) co_return refuse_target(request);
  const auto route = find(target->path);
  if (!route) {
    co_return error_response(404,
                             "there is nothing here; see /prediction, /metrics, /health, /v2 "
                             "and /v2/models/" +
                                 manifest_.name);
  }
  const auto api = api_of(target->path);
  const bool is_read = request.method == "GET" || request.method == "HEAD";
  if (api ? request.method != "POST" : !is_read) {
    auto response = error_response(405, "the method is not allowed here");
    response.allow = api ? "POST" : "GET, HEAD";
    co_return response;
  }
  if (!api) co_return get(*route);
  co_return co_await predict(*api, request);
}

http::Response Routes::get(Route route) {
  switch (route) {
    case Route::health:
      return http::text_response(200, "live");
    case Route::live:
      return json_response(200, R"({"live":true})");
    case Route::ready:
      return is_ready() ? json_response(200, R"({"ready":true})")
                        : json_response(kUnavailable, R"({"ready":false})");
    case Route::server:
      return json_response(200, server_json());
    case Route::model:
      return json_response(200, model_json(manifest_, kPlatform));
    case Route::metrics:
      return metrics();
    case Route::prediction:
    case Route::inference:
      break;  // answered by predict()
  }
  return error_response(500, "a prediction is not read");
}

http::Response Routes::metrics() {
  auto families = service_metrics_.families();
  const auto add = [&](std::vector<prometheus::MetricFamily> more) {
    families.insert(families.end(), std::move_iterator(more.begin()),
                    std::move_iterator(more.end()));
  };
  add(request_metrics_->families());
  if (model_ != nullptr) add(model_->families());
  auto response = http::text_response(200, prometheus::TextSerializer().Serialize(families));
  response.content_type = kMetricsType;
  return response;
}

http::Response Routes::refuse(const http::Refused& refused) {
  const auto rejection = rejection_of(refused);
  if (const auto api = api_of(refused.target)) {
    if (refused.status == kUnavailable) {
      request_metrics_->count_overload(*api);
    } else {
      request_metrics_->count_refused(*api, rejection.reason);
    }
  }
  return error_response(rejection);
}

http::Response Routes::refuse_target(const http::Request& request) {
  const auto api = api_of(request.target);
  if (api && request.method == "POST") request_metrics_->count_refused(*api, Reason::framing);
  return error_response(Rejection{.status = 400,
                                  .reason = Reason::framing,
                                  .field = "target",
                                  .problem = "has a broken query, or too many parameters"});
}

asio::awaitable<http::Response> Routes::predict(Api api, const http::Request& request) {
  const auto begin = Clock::now();
  PendingRequest pending(request_metrics_, api);
  Answer answered{Result::error, {}};
  try {
    answered = co_await answer(api, request);
  } catch (const std::exception& error) {
    spdlog::error("msg=\"request failed\" problem={}", json_string(error.what()));
    answered.response = error_response(500, "the server failed; the log says more");
  }
  std::optional<Seconds> duration;
  if (answered.took_time) duration = Clock::now() - begin;
  pending.end(answered.result, duration);
  co_return std::move(answered.response);
}

asio::awaitable<Answer> Routes::answer(Api api, const http::Request& request) {
  const auto deadline = Clock::now() + deadline_;
  if (model_ == nullptr) co_await wait_for_model(deadline);
  const auto model = model_;  // to the end of the request, whatever is loaded meanwhile
  if (model == nullptr) {
    co_return Answer{Result::overload, error_response(503, "the model is not loaded yet")};
  }
  co_return co_await model->answer(api, request, deadline, request_metrics_);
}

asio::awaitable<void> Routes::wait_for_model(Clock::time_point deadline) {
  asio::steady_timer alarm(co_await asio::this_coro::executor, deadline);
  const auto place = waiting_.insert(waiting_.end(), &alarm);
  co_await alarm.async_wait(asio::as_tuple(asio::use_awaitable));
  waiting_.erase(place);
}

}  // namespace model_server
