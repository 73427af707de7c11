#include "model_server/served_model.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "http/negotiation.hpp"
#include "model_server/answers.hpp"

namespace model_server {
namespace {

namespace asio = boost::asio;

/// How many series are remembered: fewer of a model with large inputs.
std::size_t series_capacity(std::size_t input_size) {
  constexpr std::size_t kMostSeries = 1024;
  constexpr std::size_t kMostNumbers = std::size_t{1} << 20U;
  return std::clamp<std::size_t>(kMostNumbers / input_size, 1, kMostSeries);
}

std::vector<float> to_floats(const std::vector<double>& values) {
  std::vector<float> floats;
  floats.reserve(values.size());
  for (const double value : values) floats.push_back(static_cast<float>(value));
  return floats;
}

ParsedRequest parse(Api api, const http::Request& request, const Manifest& manifest) {
  const auto coding = request.field("Content-Encoding");
  if (!coding.empty() && !http::equal_ignoring_case(coding, "identity")) {
    return Rejection{.status = 415,
                     .reason = Reason::type,
                     .field = "Content-Encoding",
                     .problem = "is not taken; send the body as it is"};
  }
  const auto content_type = request.field("Content-Type");
  return api == Api::seed ? parse_prediction(content_type, request.body, manifest.input)
                          : parse_inference(content_type, request.body, manifest);
}

}  // namespace

ServedModel::ServedModel(const ModelFiles& files, const Options& options, Clock::time_point began)
    : manifest_(files.manifest),
      workers_(files, options.workers, options.queue_length),
      metrics_(manifest_, Clock::now() - began),
      series_(series_capacity(manifest_.input.size())) {}

std::vector<prometheus::MetricFamily> ServedModel::families() {
  if (const auto variance = ring_.variance()) metrics_.set_input_variance(*variance, ring_.size());
  return metrics_.families();
}

asio::awaitable<Answer> ServedModel::answer(Api api, const http::Request& request,
                                            Clock::time_point deadline,
                                            std::shared_ptr<RequestMetrics> metrics) {
  const auto parsed = parse(api, request, manifest_);
  if (const auto* rejection = std::get_if<Rejection>(&parsed)) {
    metrics->count_rejection(rejection->reason);
    co_return Answer{Result::bad_request, error_response(*rejection), false};
  }
  const auto& wanted = std::get<InferenceRequest>(parsed);
  const auto inference = std::make_shared<Inference>(
      Inference{.inputs = to_floats(wanted.values), .rows = wanted.rows, .deadline = deadline});
  // Also of what was late or failed: it took the workers' time, and shows what they lack.
  inference->on_end = [metrics](const Inference& ended) {
    metrics->observe_execution(ended.outputs.size(), ended.begun_at - ended.queued_at,
                               ended.ended_at - ended.begun_at);
  };
  switch (co_await workers_.run(inference)) {
    case Ending::queue_full:
      co_return Answer{Result::overload, error_response(503, "too many requests are waiting"),
                       false};
    case Ending::late:
      co_return Answer{Result::overload, error_response(503, "it was not done by its deadline")};
    case Ending::failed:
      spdlog::error("msg=\"inference failed\" problem={}", json_string(inference->failure));
      co_return Answer{Result::error, error_response(500, "the model failed; the log says more")};
    case Ending::done:
      break;
  }
  co_return conclude(api, wanted, *inference);
}

Answer ServedModel::conclude(Api api, const InferenceRequest& request, const Inference& inference) {
  const auto& outputs = inference.outputs;
  const bool is_finite = std::all_of(outputs.begin(), outputs.end(),
                                     [](float output) { return std::isfinite(output); });
  if (!is_finite) return {Result::error, error_response(500, "the prediction is not finite")};
  remember(request, inference);
  return {Result::success,
          json_response(200, api == Api::seed ? prediction_json(outputs.front())
                                              : inference_json(manifest_, request, outputs))};
}

void ServedModel::remember(const InferenceRequest& request, const Inference& inference) {
  const std::span<const double> values = request.values;
  const auto size = manifest_.input.size();
  ring_.push(values.first(size));
  for (std::size_t row = 0; row < request.rows; ++row) {
    const auto input = values.subspan(row * size, size);
    const double prediction = inference.outputs[row];
    metrics_.observe_input(input, prediction);
    if (request.series.empty()) continue;
    const auto errors = series_.predicted(request.series, input, prediction);
    if (errors) metrics_.observe_errors(*errors);
  }
}

}  // namespace model_server
