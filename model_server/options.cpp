#include "model_server/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <thread>

#include "model_server/version.hpp"
#include "service/command_line.hpp"

namespace model_server {
namespace {

constexpr int kMostWorkers = 256;
constexpr int kMostMilliseconds = 600'000;
// On a large host the loop has no more for them to do; and a reload has twice as many, for a while.
constexpr unsigned kMostWorkersByDefault = 16;

/// As the command line has them.
struct Milliseconds {
  double deadline, drain_time;
};

CLI::AsNumberWithUnit as_milliseconds() {
  return CLI::AsNumberWithUnit(std::map<std::string, double>{{"ms", 1}, {"s", 1000}},
                               CLI::AsNumberWithUnit::UNIT_REQUIRED);
}

std::chrono::milliseconds to_duration(double milliseconds) {
  return std::chrono::milliseconds(static_cast<int>(milliseconds));
}

void add_options(CLI::App& app, Options& options, Milliseconds& times) {
  app.add_option("--model", options.model, "Folder with model.onnx and manifest.json")
      ->capture_default_str();
  auto* address = app.add_option("--web.listen-address", options.listen_addresses,
                                 "Where to answer: host:port, [v6]:port or :port; may be repeated");
  address->take_all()->capture_default_str();
  app.add_flag("--web.systemd-socket", options.uses_inherited_sockets,
               "Answer on the sockets that systemd has opened, and on no address")
      ->excludes(address);
  app.add_option("--web.max-connections", options.max_connections,
                 "Connections at once, half of them from one address")
      ->check(CLI::Range(4, 65536))
      ->capture_default_str();
  app.add_option("--web.max-body", options.max_body_bytes, "Bytes of a request's body")
      ->check(CLI::Range(1024, 16 << 20))
      ->capture_default_str();
  app.add_option("--queue", options.queue_length, "Requests that may wait for a worker")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  app.add_option("--workers", options.workers,
                 "Threads that compute; by default one for each CPU, 16 at most")
      ->check(CLI::Range(1, kMostWorkers))
      ->capture_default_str();
  app.add_option("--deadline", times.deadline,
                 "Time from a request to its answer, such as 500ms or 2s")
      ->transform(as_milliseconds())
      ->check(CLI::Range(1, kMostMilliseconds))
      ->default_str("1s");
  app.add_option("--drain-time", times.drain_time,
                 "Time between SIGTERM and the end in which it answers, but is not ready")
      ->transform(as_milliseconds())
      ->check(CLI::Range(0, kMostMilliseconds))
      ->default_str("2s");
  service::add_log_level(app, options.log_level);
}

}  // namespace

std::variant<Options, service::Exit> parse_options(int argc, const char* const* argv) {
  CLI::App app("Serves predictions of an ONNX model, with metrics for Prometheus.", "model_server");
  Options options;
  options.workers = std::clamp(std::thread::hardware_concurrency(), 1U, kMostWorkersByDefault);
  Milliseconds times{.deadline = static_cast<double>(options.deadline.count()),
                     .drain_time = static_cast<double>(options.drain_time.count())};
  add_options(app, options, times);
  app.set_version_flag("--version", "model_server, version " + std::string(kVersion));
  return service::parse_command_line<Options>(app, argc, argv, [&] {
    options.deadline = to_duration(times.deadline);
    options.drain_time = to_duration(times.drain_time);
    return options;
  });
}

}  // namespace model_server
