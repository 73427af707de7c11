#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

#include "exporter/bridged_registry.hpp"
#include "http/server.hpp"
#include "metrics/family_list.hpp"
#include "metrics/sink.hpp"
#include "procfs/file_reader.hpp"

namespace exporter {

/// What the daemon answers, for the `handler` label.
enum class Route : std::uint8_t { metrics, landing, healthy, ready, unknown };
inline constexpr std::array<std::string_view, 5> kRouteNames = {"metrics", "landing", "healthy",
                                                                "ready", "unknown"};

enum class OnPage : bool { no, yes };

/// The daemon about itself. observe_request(), observe_event() and observe_page() are for handlers,
/// the others may be called on any thread.
class SelfMetrics {
 public:
  /// Throws std::runtime_error when this process may not read /proc/self.
  explicit SelfMetrics(OnPage on_page = OnPage::yes);

  void observe_request(Route route, unsigned status, std::chrono::duration<double> duration);
  void observe_event(http::Event event);
  void observe_pass(std::chrono::duration<double> duration);
  /// What a tick of all collectors cost, in CPU time.
  void observe_tick(std::chrono::duration<double> cpu_time);
  void observe_page(std::size_t bytes);
  /// What became of the configuration when it was last read; on the page from the first time on.
  void observe_reload(bool is_good);
  void count_refused_families(std::size_t count);

  /// All of it, and process_* of this process as it is now; nothing when it is not for the page.
  void emit(metrics::Sink& sink);
  /// Those families.
  static void list(metrics::FamilyList& list);

 private:
  void emit_process(metrics::Sink& sink);

  prometheus::Counter& requests(Route route, unsigned status);
  prometheus::Histogram& request_durations(Route route);

  OnPage on_page_;
  BridgedRegistry registry_;
  // Found again without making labels: those of a request cost more than its counting.
  std::map<std::pair<Route, unsigned>, prometheus::Counter*> requests_;
  std::array<prometheus::Histogram*, kRouteNames.size()> request_durations_{};
  std::vector<prometheus::Counter*> events_;  // by http::Event
  prometheus::Histogram& pass_durations_;
  prometheus::Counter& sampler_cpu_;
  prometheus::Gauge& page_bytes_;
  prometheus::Counter& refused_families_;
  double start_time_seconds_;
  double bytes_per_page_;
  double max_fds_;
  std::mutex own_proc_mutex_;  // guards those below
  procfs::FileReader own_proc_;
  procfs::FileReader own_fds_;
  procfs::KeptFile statm_;
};

}  // namespace exporter
