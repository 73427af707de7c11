#include "model_server/service.hpp"

#include <malloc.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <csignal>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "http/inherited_sockets.hpp"
#include "http/server.hpp"
#include "model_server/metrics_page.hpp"
#include "model_server/model.hpp"
#include "model_server/routes.hpp"
#include "model_server/version.hpp"
#include "model_server/worker_pool.hpp"

namespace model_server {
namespace {

namespace asio = boost::asio;

constexpr auto kReport = asio::as_tuple(asio::use_awaitable);
// After the deadline of a request, for its answer to be sent.
constexpr std::chrono::milliseconds kDrainTime{500};

void set_up_log(const std::string& level) {
  auto logger = spdlog::stderr_logger_mt("model_server");
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::debug);
  logger->set_pattern("ts=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v", spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
}

http::Limits limits_for(const Options& options) {
  constexpr std::size_t kRequestsPerConnection = 100'000;
  http::Limits limits;
  limits.body_bytes = options.max_body_bytes;
  limits.requests_per_connection = kRequestsPerConnection;
  limits.connections = options.max_connections;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    const auto half = std::max<rlim_t>(files.rlim_cur / 2, 4);
    limits.connections = std::min<std::size_t>(limits.connections, half);
  }
  limits.connections_per_source = std::max<std::size_t>(limits.connections / 2, 1);
  return limits;
}

/// A model with all that is counted of it. Another model begins anew.
struct Serving {
  explicit Serving(const Options& options)
      : began(Clock::now()),
        files(read_model(options.model)),
        workers(files, options.workers, options.queue_length),
        page(files, Clock::now() - began),
        routes(files.manifest, workers, page, options.deadline) {}

  Clock::time_point began;
  ModelFiles files;
  WorkerPool workers;
  MetricsPage page;
  Routes routes;
};

asio::awaitable<std::shared_ptr<Serving>> load(const Options& options) {
  co_return std::make_shared<Serving>(options);
}

/// Everything that runs, in the order it depends on each other.
class Service {
 public:
  /// `sockets` are those of systemd.
  Service(const Options& options, const std::vector<int>& sockets)
      : options_(options),
        serving_(std::make_shared<Serving>(options)),
        server_(
            io_, limits_for(options), [this](const auto& request) { return handle(request); },
            [](http::Event) {},
            [this](unsigned status, auto target) {
              return serving_->routes.refuse(status, target);
            }) {
    if (options.uses_inherited_sockets) {
      adopt(sockets);
    } else {
      for (const auto& address : options.listen_addresses) listen(address);
    }
    asio::co_spawn(io_, stop_on_signal(), asio::detached);
    asio::co_spawn(io_, reload_on_signal(), asio::detached);
    log_model("started");
  }

  void run() { io_.run(); }

 private:
  static void tell(const asio::ip::tcp::endpoint& endpoint) {
    std::ostringstream text;
    text << endpoint;
    spdlog::info("msg=listening address={}", text.str());
  }

  void adopt(const std::vector<int>& sockets) {
    if (sockets.empty()) {
      throw std::runtime_error("systemd has handed over no socket; see --web.systemd-socket");
    }
    try {
      for (const int socket : sockets) tell(server_.adopt(socket));
    } catch (const boost::system::system_error& error) {
      throw std::runtime_error("cannot answer on a socket of systemd: " + error.code().message() +
                               "; see --web.systemd-socket");
    }
  }

  void listen(const std::string& address) {
    try {
      for (const auto& endpoint : server_.listen(address)) tell(endpoint);
    } catch (const boost::system::system_error& error) {
      throw std::runtime_error("cannot listen on " + address + ": " + error.code().message() +
                               "; see --web.listen-address");
    }
  }

  void log_model(const char* event) const {
    const auto& manifest = serving_->files.manifest;
    spdlog::info("msg={} version={} model={} model_version={} sha256={}", event, kVersion,
                 manifest.name, manifest.version, manifest.sha256);
  }

  asio::awaitable<http::Response> handle(const http::Request& request) {
    const auto serving = serving_;  // to the end of the request, whatever is loaded meanwhile
    co_return co_await serving->routes.handle(request);
  }

  asio::awaitable<void> stop_on_signal() {
    asio::signal_set signals(io_, SIGTERM, SIGINT);
    co_await signals.async_wait(kReport);
    spdlog::info("msg=stopping");
    serving_->routes.stop();
    co_await server_.shut_down(options_.deadline + kDrainTime);
    io_.stop();
  }

  /// Loads the folder anew, beside the requests. What cannot be served leaves the old model be.
  asio::awaitable<void> reload_on_signal() {
    asio::signal_set signals(io_, SIGHUP);
    for (;;) {
      co_await signals.async_wait(kReport);
      try {
        serving_ = co_await asio::co_spawn(loader_, load(options_), asio::use_awaitable);
        log_model("reloaded");
      } catch (const std::exception& error) {
        serving_->page.count_load_failure();
        spdlog::error(R"(msg="reload failed" problem="{}")", error.what());
      }
    }
  }

  const Options& options_;
  asio::io_context io_{1};
  std::shared_ptr<Serving> serving_;
  asio::thread_pool loader_{1};
  http::Server server_;
};

}  // namespace

int run_service(const Options& options) {
  set_up_log(options.log_level);
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT: a closed stderr must not end the service
  std::signal(SIGHUP, SIG_IGN);   // NOLINT: until somebody listens to it
  // One heap for the few threads there are: else each keeps what large requests once needed.
  ::mallopt(M_ARENA_MAX, 1);  // NOLINT(concurrency-mt-unsafe): before any thread
  try {
    // Before the workers: it changes the environment.
    Service service(options, http::inherited_sockets());
    service.run();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "model_server: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace model_server
