#include "model_server/client/asker.hpp"

#include <utility>

#include "model_server/client/prediction.hpp"

namespace model_client {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr unsigned kPredicted = 200;  // the only status of an answer that is one

Failure failure_of(const http::ClientError& error) {
  using Code = http::ClientError::Code;
  switch (error.code) {
    case Code::unresolved:
      return Failure::unresolved;
    case Code::unreachable:
      return Failure::unreachable;
    case Code::deadline:
      return Failure::deadline;
    case Code::disconnected:
      return Failure::disconnected;
    case Code::bad_request:
    case Code::malformed:
    case Code::too_large:
      break;
  }
  return Failure::malformed;
}

/// Of an answer that is not 200.
Failure failure_of(unsigned status) {
  constexpr unsigned kUnavailable = 503;
  if (status == kUnavailable) return Failure::overloaded;
  return status / 100 == 4 ? Failure::refused : Failure::server_error;
}

}  // namespace

Asker::Asker(const Options& options)
    : options_(options), description_path_(description_path(options.server.path)) {}

http::ClientRequest Asker::request_for(std::string path) const {
  return {.host = options_.server.host,
          .port = options_.server.port,
          .target = std::move(path),
          .fields = {{"User-Agent", "model_client/" MODEL_CLIENT_VERSION}}};
}

asio::awaitable<Asker::Exchange> Asker::exchange(http::ClientRequest request) {
  const http::ClientLimits limits{.deadline = options_.deadline};
  const auto begin = Clock::now();
  auto result = co_await http::send_request(std::move(request), limits);
  const std::chrono::duration<double> duration = Clock::now() - begin;
  if (const auto* error = std::get_if<http::ClientError>(&result)) {
    Exchange failed{.body = failure_of(*error), .duration = std::nullopt};
    if (error->was_sent) failed.duration = duration;
    co_return failed;
  }
  auto& response = std::get<http::ClientResponse>(result);
  Exchange answered{.body = std::move(response.body), .duration = duration};
  if (response.status != kPredicted) answered.body = failure_of(response.status);
  co_return answered;
}

asio::awaitable<Outcome> Asker::post(std::string body, const char* content_type, Read read) {
  auto request = request_for(options_.server.path);
  request.method = "POST";
  request.fields.push_back({"Content-Type", content_type});
  request.body = std::move(body);
  const auto answered = co_await exchange(std::move(request));
  Outcome outcome{.prediction = Failure::malformed, .duration = answered.duration};
  if (const auto* failure = std::get_if<Failure>(&answered.body)) {
    outcome.prediction = *failure;
  } else if (const auto prediction = read(std::get<std::string>(answered.body))) {
    outcome.prediction = *prediction;
  }
  co_return outcome;
}

asio::awaitable<Outcome> Asker::ask(std::vector<double> input) {
  if (!description_path_) {
    auto form = prediction_form(input);
    co_return co_await post(std::move(form), "application/x-www-form-urlencoded", read_prediction);
  }
  if (!tensor_) {
    auto request = request_for(*description_path_);
    const auto described = co_await exchange(std::move(request));
    Outcome outcome{.prediction = Failure::malformed, .duration = described.duration};
    if (const auto* failure = std::get_if<Failure>(&described.body)) {
      outcome.prediction = *failure;
    } else {
      tensor_ = read_input_tensor(std::get<std::string>(described.body));
    }
    if (!tensor_) co_return outcome;
  }
  auto body = inference_body(*tensor_, input, options_.series);
  auto outcome = co_await post(std::move(body), "application/json", read_inference);
  const auto* failure = std::get_if<Failure>(&outcome.prediction);
  if (failure != nullptr && *failure == Failure::refused) tensor_.reset();
  co_return outcome;
}

}  // namespace model_client
