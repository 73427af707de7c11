#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <string_view>
#include <vector>

#include "http/server.hpp"
#include "metrics/sink.hpp"
#include "procfs/file_reader.hpp"

namespace exporter {

/// What the daemon answers, for the `handler` label.
enum class Route : std::uint8_t { metrics, landing, healthy, ready, unknown };
inline constexpr std::array<std::string_view, 5> kRouteNames = {"metrics", "landing", "healthy",
                                                                "ready", "unknown"};

/// The daemon about itself. Thread-safe.
class SelfMetrics {
 public:
  /// Throws std::runtime_error when this process may not read /proc/self.
  SelfMetrics();

  void observe_request(Route route, unsigned status, std::chrono::duration<double> duration);
  void observe_event(http::Event event);
  void observe_pass(std::chrono::duration<double> duration);
  void observe_page(std::size_t bytes);
  void count_refused_families(std::size_t count);

  /// All of it, and process_* of this process as it is now.
  void emit(metrics::Sink& sink);

 private:
  void emit_process(metrics::Sink& sink);

  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Histogram>& request_durations_;
  std::vector<prometheus::Counter*> events_;  // by http::Event
  prometheus::Histogram& pass_durations_;
  prometheus::Gauge& page_bytes_;
  prometheus::Counter& refused_families_;
  double start_time_seconds_;
  double bytes_per_page_;
  std::mutex own_proc_mutex_;  // guards the two below
  procfs::FileReader own_proc_;
  procfs::KeptFile statm_;
};

}  // namespace exporter
