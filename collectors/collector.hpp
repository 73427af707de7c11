#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "collectors/page_fetcher.hpp"
#include "collectors/settings.hpp"
#include "metrics/family_list.hpp"
#include "metrics/result.hpp"
#include "metrics/sink.hpp"
#include "procfs/file_reader.hpp"
#include "procfs/host_files.hpp"
#include "procfs/system.hpp"

namespace collectors {

using procfs::Clock;

/// One subject: CPUs, memory, processes. Not thread-safe: no two calls are made at once, to
/// whichever collectors. Within one pass or tick every collector is given the same `now`.
class Collector {
 public:
  Collector() = default;
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;
  Collector(Collector&&) = delete;
  Collector& operator=(Collector&&) = delete;
  virtual ~Collector() = default;

  /// Called every sampling interval; only for what a reading at each scrape would lose.
  virtual void tick(Clock::time_point /*now*/) {}

  /// Called when a pass begins that will refresh() it, with the same `now`: for what can go on
  /// while the collectors before it work. Nobody waits for the page beyond `deadline`.
  virtual void begin(Clock::time_point /*now*/, Clock::time_point /*deadline*/) {}

  /// Reads the kernel and keeps what it found. All I/O and all failure is here. `unsupported`
  /// means that this host lacks the subject; any other error is trouble.
  [[nodiscard]] virtual metrics::Result<void> refresh(Clock::time_point now) = 0;

  /// Whether it has a configuration file of its own, for reload().
  [[nodiscard]] virtual bool is_reloadable() const { return false; }

  /// Reads its configuration file anew, when somebody wants it to. All stays as it was when that
  /// fails; the error is a line that begins with the file.
  [[nodiscard]] virtual metrics::Result<void> reload() { return {}; }

  /// Hands on what the last refresh() found. Reads nothing and cannot fail; called only after a
  /// refresh() that succeeded.
  virtual void emit(metrics::Sink& sink) const = 0;

  /// What whoever starts the daemon should know of how the collector works on this host: a line for
  /// the log. Empty when there is nothing to say. Lives as long as the collector.
  [[nodiscard]] virtual std::string_view notice() const { return {}; }

  /// What was wrong in the last refresh() though it succeeded, such as one bad file of many: a line
  /// for the log and the landing page. Empty when all is well. Valid until the next refresh().
  [[nodiscard]] virtual std::string_view complaint() const { return {}; }
};

/// What a collector may use. Passed in, never reached for: a test passes a fixture directory and
/// fixed units. Outlives every collector.
struct Host {
  procfs::FileReader& proc;  ///< --path.procfs
  procfs::FileReader& sys;   ///< --path.sysfs
  procfs::FileReader& root;  ///< --path.rootfs
  procfs::HostFiles& files;
  const Settings& settings;  ///< --collector.<collector>.<setting>
  procfs::System system;
  std::chrono::nanoseconds window;           ///< --window
  std::chrono::nanoseconds sample_interval;  ///< --sample-interval, between ticks
  PageFetcher* page_fetcher = nullptr;       ///< Null where nobody can fetch pages.
};

/// Whom a collector's reads may have to wait for.
enum class Reads : std::uint8_t {
  memory,  ///< Nobody: the kernel answers from memory.
  device,  ///< A driver, a remote server or another process; not while others wait.
};

struct CollectorSpec {
  std::string_view name;     ///< As in --collector.NAME and collect[]=NAME.
  std::string_view summary;  ///< A line for --help and --list-collectors.
  bool enabled_by_default;
  Reads reads;
  /// Throws std::invalid_argument, at start-up only, when a setting is not what it must be.
  std::unique_ptr<Collector> (*make)(const Host& host);
  /// Adds every family that it may ever emit, on whatever host; of those that it passes on for
  /// others, none. The text that people look up: --list-metrics and docs/metrics.md.
  void (*list)(metrics::FamilyList& list) = nullptr;
  std::span<const Setting> settings = {};  ///< Flags of its own: --collector.<name>.<setting>
};

/// The `make` of a collector whose constructor takes the host.
template <class T>
std::unique_ptr<Collector> make_collector(const Host& host) {
  return std::make_unique<T>(host);
}

}  // namespace collectors
