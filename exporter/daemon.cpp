#include "exporter/daemon.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <stdexcept>

#include "exporter/http_page_fetcher.hpp"
#include "exporter/pass_scheduler.hpp"
#include "exporter/privileges.hpp"
#include "exporter/routes.hpp"
#include "exporter/scraper.hpp"
#include "exporter/self_metrics.hpp"
#include "exporter/service_manager.hpp"
#include "exporter/version.hpp"
#include "service/listening.hpp"
#include "service/log.hpp"
#include "service/program.hpp"

namespace exporter {
namespace {

namespace asio = boost::asio;
using service::LogLevel;
using std::chrono::milliseconds;

constexpr auto kReport = asio::as_tuple(asio::use_awaitable);
// Together under the 2 s in which SIGTERM has to be obeyed.
constexpr milliseconds kDrainTime{1500};
constexpr milliseconds kWorkStopTime{300};
// How long HTTP may wait for the collectors before the second thread takes over.
constexpr milliseconds kWorkPatience{100};
// From one address come at most a quarter of the connections.
constexpr std::size_t kSources = 4;

procfs::FileReader open_mount(const std::string& path, const char* option) {
  auto reader = procfs::FileReader::open(path);
  if (!reader) throw std::runtime_error(reader.error().detail + "; see " + option);
  return *std::move(reader);
}

/// Everything that runs, in the order it depends on each other.
class Daemon {
 public:
  explicit Daemon(const Options& options)
      : options_(options),
        proc_(open_mount(options.proc_path, "--path.procfs")),
        sys_(open_mount(options.sys_path, "--path.sysfs")),
        root_(open_mount(options.root_path, "--path.rootfs")),
        self_(options.has_exporter_metrics ? OnPage::yes : OnPage::no),
        scraper_(options.collectors, host_),
        collectors_(io_, threads_, scraper_, self_, options.sample_interval),
        routes_(options, collectors_, self_),
        server_(
            io_, service::limits_for(options.max_connections, kSources),
            [this](const auto& request) { return routes_.handle(request); },
            [this](http::Event event) { self_.observe_event(event); }) {}

  void run() {
    drop_privileges();  // The collectors have opened what needs one.
    if (scraper_.is_reloadable()) self_.observe_reload(true);  // or there were no daemon
    asio::co_spawn(io_, stop_on_signal(), asio::detached);
    reload_on_signal();
    service::log_listening(service::listen(server_, options_.listen_addresses));
    service::log(LogLevel::info, "started", {{"version", std::string(kVersion)}});
    manager_.notify("READY=1");
    if (const auto interval = manager_.watchdog_interval()) {
      asio::co_spawn(io_, feed_watchdog(*interval), asio::detached);
    }
    threads_.run();
  }

 private:
  asio::awaitable<void> stop_on_signal() {
    asio::signal_set signals(io_, SIGTERM, SIGINT);
    co_await signals.async_wait(kReport);
    service::log(LogLevel::info, "stopping");
    manager_.notify("STOPPING=1");
    routes_.stop();
    co_await server_.shut_down(kDrainTime);
    asio::steady_timer stuck(io_, kWorkStopTime);
    collectors_.stop([this] { io_.stop(); });
    co_await stuck.async_wait(kReport);
    // A thread that the kernel holds cannot be joined: leave it behind.
    ::_exit(0);
  }

  void reload_on_signal() {
    reload_signals_.async_wait([this](boost::system::error_code stopped, int /*signal*/) {
      if (stopped) return;
      reload_on_signal();
      if (!scraper_.is_reloadable()) {
        service::log(LogLevel::info,
                     "SIGHUP ignored: there is no configuration that could be reloaded");
        return;
      }
      manager_.notify("RELOADING=1");
      collectors_.reload([this] { manager_.notify("READY=1"); });
    });
  }

  /// Feeds systemd's watchdog only while both the event loop and the collectors move on.
  asio::awaitable<void> feed_watchdog(std::chrono::microseconds interval) {
    const auto patience =
        std::max<Clock::duration>(std::chrono::seconds(10), 3 * options_.sample_interval);
    asio::steady_timer timer(io_);
    auto moved_at = Clock::now();  // the first tick may still be to come
    for (;;) {
      moved_at = std::max(moved_at, collectors_.last_tick());
      if (Clock::now() - moved_at < patience) manager_.notify("WATCHDOG=1");
      timer.expires_after(interval);
      co_await timer.async_wait(kReport);
    }
  }

  const Options& options_;
  ServiceManager manager_;
  procfs::FileReader proc_;
  procfs::FileReader sys_;
  procfs::FileReader root_;
  procfs::HostFiles files_{proc_};
  HttpPageFetcher page_fetcher_;
  collectors::Host host_{.proc = proc_,
                         .sys = sys_,
                         .root = root_,
                         .files = files_,
                         .settings = options_.settings,
                         .system = procfs::this_system(),
                         .window = options_.window,
                         .sample_interval = options_.sample_interval,
                         .page_fetcher = &page_fetcher_};
  SelfMetrics self_;
  Scraper scraper_;
  asio::io_context io_;
  asio::signal_set reload_signals_{io_, SIGHUP};
  LeaderFollowers threads_{io_, kWorkPatience};
  PassScheduler collectors_;
  Routes routes_;
  http::Server server_;
};

}  // namespace

int run_daemon(const Options& options) {
  service::set_up_log(options.log_level, options.log_format);
  std::signal(SIGHUP, SIG_IGN);  // NOLINT: until somebody listens to it
  return service::run_or_tell("resource_exporter", [&options] {
    Daemon daemon(options);
    daemon.run();
  });
}

}  // namespace exporter
