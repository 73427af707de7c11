#include "model_server/service.hpp"

#include <malloc.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "http/inherited_sockets.hpp"
#include "http/server.hpp"
#include "model_server/answers.hpp"
#include "model_server/model.hpp"
#include "model_server/routes.hpp"
#include "model_server/served_model.hpp"
#include "model_server/version.hpp"
#include "service/listening.hpp"
#include "service/log.hpp"
#include "service/program.hpp"

namespace model_server {
namespace {

namespace asio = boost::asio;

constexpr auto kReport = asio::as_tuple(asio::use_awaitable);
// After the deadline of a request, for its answer to be sent.
constexpr std::chrono::milliseconds kAnswerTime{500};
// For the last requests, whatever their deadline: with the drain time it must be less than the
// TimeoutStopSec of the unit, 5 s.
constexpr std::chrono::milliseconds kMostGrace{2500};
constexpr std::chrono::seconds kLongLoad{2};

http::Limits limits_for(const Options& options) {
  constexpr std::size_t kRequestsPerConnection = 100'000;
  constexpr std::size_t kSources = 2;
  auto limits = service::limits_for(options.max_connections, kSources);
  limits.body_bytes = options.max_body_bytes;
  limits.requests_per_connection = kRequestsPerConnection;
  return limits;
}

/// What the loader gives back: nothing when the folder has the model that is served already.
using Loaded = std::shared_ptr<ServedModel>;

/// Everything that runs, in the order it depends on each other.
class Service {
 public:
  /// `sockets` are those of systemd.
  Service(const Options& options, const std::vector<int>& sockets)
      : options_(options),
        routes_(read_manifest(options.model), options.deadline),
        server_(
            io_, limits_for(options),
            [this](const auto& request) { return routes_.handle(request); },
            [this](http::Event event) { routes_.service_metrics().count(event); },
            [this](const http::Refused& refused) { return routes_.refuse(refused); }) {
    if (options.uses_inherited_sockets) {
      adopt(sockets);
    } else {
      endpoints_ = service::listen(server_, options.listen_addresses);
    }
    asio::co_spawn(io_, stop_on_signal(), asio::detached);
    asio::co_spawn(io_, keep_loading(), asio::detached);
  }

  /// Throws what keeps the first model from being loaded.
  void run() {
    io_.run();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void adopt(const std::vector<int>& sockets) {
    if (sockets.empty()) {
      throw std::runtime_error("systemd has handed over no socket; see --web.systemd-socket");
    }
    try {
      for (const int socket : sockets) endpoints_.push_back(server_.adopt(socket));
    } catch (const boost::system::system_error& error) {
      throw std::runtime_error("cannot answer on a socket of systemd: " + error.code().message() +
                               "; see --web.systemd-socket");
    }
  }

  void log_model(const char* event) const {
    const auto& manifest = routes_.manifest();
    spdlog::info("msg={} version={} model={} model_version={} sha256={}", event, kVersion,
                 manifest.name, manifest.version, manifest.sha256);
  }

  void log_start() const {
    service::log_listening(endpoints_);
    spdlog::info("msg=limits connections={} connections_per_source={}",
                 limits_for(options_).connections, limits_for(options_).connections_per_source);
    log_model("started");
  }

  asio::awaitable<void> stop_on_signal() {
    asio::signal_set signals(io_, SIGTERM, SIGINT);
    co_await signals.async_wait(kReport);
    spdlog::info("msg=stopping");
    routes_.stop();
    const auto drained = std::make_shared<asio::steady_timer>(io_, options_.drain_time);
    signals.async_wait([drained](auto error, int) {  // whoever asks twice means now
      if (!error) drained->cancel();
    });
    co_await drained->async_wait(kReport);
    co_await server_.shut_down(
        std::min<std::chrono::milliseconds>(options_.deadline + kAnswerTime, kMostGrace));
    io_.stop();
  }

  /// Loads the folder beside the requests: at the start, and on each SIGHUP.
  asio::awaitable<void> keep_loading() {
    asio::signal_set signals(io_, SIGHUP);
    try {
      routes_.serve(co_await load_beside({}));
      log_start();
    } catch (const std::exception&) {
      failure_ = std::current_exception();
      io_.stop();
      co_return;
    }
    for (;;) {
      co_await signals.async_wait(kReport);
      co_await reload();
    }
  }

  /// What cannot be served leaves the old model be.
  asio::awaitable<void> reload() {
    try {
      auto loaded = co_await load_beside(routes_.manifest());
      if (loaded == nullptr) {
        spdlog::info("msg=unchanged sha256={}", routes_.manifest().sha256);
        co_return;
      }
      routes_.serve(std::move(loaded));
      log_model("reloaded");
    } catch (const std::exception& error) {
      routes_.service_metrics().count_load_failure();
      spdlog::error("msg=\"reload failed\" problem={}", json_string(error.what()));
    }
  }

  /// In the thread of the loader, so that requests are answered meanwhile; says so when it is long.
  asio::awaitable<Loaded> load_beside(std::optional<Manifest> served) {
    asio::steady_timer alarm(io_, kLongLoad);
    alarm.async_wait([this](auto cancelled) {
      if (!cancelled) spdlog::warn("msg=\"still loading\" folder={}", json_string(options_.model));
    });
    co_return co_await asio::co_spawn(loader_, load(std::move(served)), asio::use_awaitable);
  }

  /// In the thread of the loader, in which a model is destroyed, too: that waits for its workers.
  asio::awaitable<Loaded> load(std::optional<Manifest> served) {
    const auto began = Clock::now();
    const auto files = read_model(options_.model);
    if (served == files.manifest) co_return nullptr;
    const auto destroy = [this](ServedModel* model) {
      asio::post(loader_, [old = std::unique_ptr<ServedModel>(model)] {});
    };
    co_return Loaded(new ServedModel(files, options_, began), destroy);
  }

  const Options& options_;
  asio::io_context io_{1};
  asio::thread_pool loader_{1};
  Routes routes_;
  http::Server server_;
  service::Endpoints endpoints_;
  std::exception_ptr failure_;
};

}  // namespace

int run_service(const Options& options) {
  service::set_up_log(options.log_level);
  std::signal(SIGHUP, SIG_IGN);  // NOLINT: until somebody listens to it
  // One heap for the few threads there are: else each keeps what large requests once needed.
  ::mallopt(M_ARENA_MAX, 1);  // NOLINT(concurrency-mt-unsafe): before any thread
  return service::run_or_tell("model_server", [&options] {
    // Before the workers: it changes the environment.
    Service service(options, http::inherited_sockets());
    service.run();
    // A model that is being loaded or computes may take long, and nobody waits for it any more.
    spdlog::shutdown();
    std::_Exit(0);
  });
}

}  // namespace model_server
