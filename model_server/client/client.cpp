#include "model_server/client/client.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "http/server.hpp"
#include "model_server/client/asker.hpp"
#include "model_server/client/client_metrics.hpp"
#include "model_server/client/inputs.hpp"
#include "model_server/client/pace.hpp"
#include "model_server/client/series.hpp"
#include "service/listening.hpp"
#include "service/log.hpp"
#include "service/program.hpp"

namespace model_client {
namespace {

namespace asio = boost::asio;
using service::LogLevel;

constexpr auto kReport = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kDrainTime{1000};
constexpr unsigned kStatusOk = 200;

std::uint64_t any_seed() {
  std::random_device device;
  constexpr unsigned kHalf = 32;
  return std::uint64_t{device()} << kHalf | device();
}

std::vector<double> read_series(const Options& options) {
  std::ifstream file(options.replay_path, std::ios::binary);
  std::string text;
  try {
    text.assign(std::istreambuf_iterator<char>(file), {});
  } catch (const std::ios_base::failure&) {  // a folder
    file.setstate(std::ios::badbit);
  }
  if (!file) throw std::runtime_error("cannot read " + options.replay_path + "; see --replay");
  auto parsed = parse_series(text, options.replay_column);
  if (const auto* error = std::get_if<SeriesError>(&parsed)) {
    throw std::runtime_error(options.replay_path + ": " + error->detail);
  }
  return std::get<std::vector<double>>(std::move(parsed));
}

Inputs make_inputs(const Options& options) {
  if (options.replay_path.empty()) {
    return {options.input_size, options.seed ? *options.seed : any_seed()};
  }
  try {
    return {options.input_size, read_series(options)};
  } catch (const std::invalid_argument& error) {
    throw std::runtime_error(options.replay_path + ": " + error.what());
  }
}

/// Everything that runs. One thread.
class Client {
 public:
  explicit Client(const Options& options)
      : options_(options),
        inputs_(make_inputs(options)),
        asker_(options),
        pace_(options.interval, Pace::Clock::now(), any_seed()),
        server_(
            io_, {}, [this](const auto& request) { return serve(request); }, [](http::Event) {}) {}

  void run() {
    service::log_listening(service::listen(server_, options_.listen_addresses));
    asio::co_spawn(io_, stop_on_signal(), asio::detached);
    asio::co_spawn(io_, ask_forever(), asio::detached);
    io_.run();
  }

 private:
  asio::awaitable<void> stop_on_signal() {
    asio::signal_set signals(io_, SIGTERM, SIGINT);
    co_await signals.async_wait(kReport);
    service::log(LogLevel::info, "stopping");
    co_await server_.shut_down(kDrainTime);
    io_.stop();
  }

  asio::awaitable<void> ask_forever() {
    asio::steady_timer timer(io_);
    for (;;) {
      timer.expires_at(pace_.due());
      co_await timer.async_wait(kReport);
      co_await ask();
      metrics_.set_failures_in_a_row(pace_.failures());
      metrics_.set_pause(std::max(pace_.due() - Pace::Clock::now(), Pace::Clock::duration{}));
    }
  }

  asio::awaitable<void> ask() {
    auto input = inputs_.next();
    const auto outcome = co_await asker_.ask(std::move(input));
    const auto now = Pace::Clock::now();
    if (outcome.duration) metrics_.observe_request(*outcome.duration);
    if (const auto* failure = std::get_if<Failure>(&outcome.prediction)) {
      fail(*failure, now);
      co_return;
    }
    if (pace_.failures() > 0) service::log(LogLevel::info, "predictions come again");
    metrics_.observe_prediction(std::get<double>(outcome.prediction));
    pace_.succeeded(now);
  }

  /// Tells once, not each time: the counters do that.
  void fail(Failure failure, Pace::Clock::time_point now) {
    if (pace_.failures() == 0) {
      service::log(LogLevel::warn, "no prediction",
                   {{"reason", name_of(failure)},
                    {"server", options_.server.host + ":" + std::to_string(options_.server.port)}});
    }
    metrics_.observe_failure(failure);
    pace_.failed(now);
  }

  asio::awaitable<http::Response> serve(const http::Request& request) {
    if (request.method != "GET" && request.method != "HEAD") {
      auto response = http::text_response(405, "GET or HEAD only.\n");
      response.allow = "GET, HEAD";
      co_return response;
    }
    const auto path = request.target.substr(0, request.target.find('?'));
    if (path == "/metrics") {
      auto response = http::text_response(kStatusOk, metrics_.page());
      response.content_type = "text/plain; version=0.0.4; charset=utf-8";
      co_return response;
    }
    if (path == "/-/healthy") co_return http::text_response(kStatusOk, "Healthy.\n");
    if (path == "/") co_return http::text_response(kStatusOk, "model_client: see /metrics\n");
    co_return http::text_response(404, "Not found: see /metrics\n");
  }

  const Options& options_;
  Inputs inputs_;
  Asker asker_;
  ClientMetrics metrics_;
  asio::io_context io_;
  Pace pace_;
  http::Server server_;
};

}  // namespace

int run_client(const Options& options) {
  service::set_up_log();
  return service::run_or_tell("model_client", [&options] {
    Client client(options);
    client.run();
    // A name that is being looked up may take long, and nobody waits for it any more.
    spdlog::shutdown();
    std::_Exit(0);
  });
}

}  // namespace model_client
