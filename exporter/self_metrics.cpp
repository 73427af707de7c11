#include "exporter/self_metrics.hpp"

#include <sys/resource.h>

#include <stdexcept>
#include <string>

#include "exporter/registry_bridge.hpp"
#include "exporter/version.hpp"
#include "procfs/system.hpp"
#include "procfs/text.hpp"

namespace exporter {
namespace {

using metrics::Family;
using metrics::Kind;

constexpr std::array kEventNames = {"accept_failed", "connection_refused", "request_rejected",
                                    "deadline_passed", "session_failed"};

const prometheus::Histogram::BucketBoundaries kDurationBuckets = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.1, 1, 10};

constexpr Family kCpuSeconds = {"process_cpu_seconds_total",
                                "User and system time of the exporter, from getrusage(2).",
                                Kind::counter};
constexpr Family kStartTime = {"process_start_time_seconds",
                               "When the exporter started, in seconds since the epoch."};
constexpr Family kOpenFds = {"process_open_fds",
                             "File descriptors the exporter has open, from /proc/self/fd."};
constexpr Family kMaxFds = {"process_max_fds",
                            "File descriptors the exporter may have open, from getrlimit(2)."};
constexpr Family kVirtual = {"process_virtual_memory_bytes",
                             "Virtual memory of the exporter, from /proc/self/statm."};
constexpr Family kResident = {"process_resident_memory_bytes",
                              "Resident memory of the exporter, from /proc/self/statm."};

std::string name_of(Route route) {
  return std::string(kRouteNames.at(static_cast<std::size_t>(route)));
}

procfs::FileReader open_own_proc() {
  auto reader = procfs::FileReader::open("/proc/self");
  if (!reader) throw std::runtime_error(reader.error().detail);
  return *std::move(reader);
}

double seconds(const timeval& time) {
  constexpr double kSecondsPerMicrosecond = 1e-6;
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_usec) * kSecondsPerMicrosecond;
}

}  // namespace

SelfMetrics::SelfMetrics()
    : requests_(prometheus::BuildCounter()
                    .Name("resource_exporter_http_requests_total")
                    .Help("Requests answered, by what was asked for and the status.")
                    .Register(registry_)),
      request_durations_(prometheus::BuildHistogram()
                             .Name("resource_exporter_http_request_duration_seconds")
                             .Help("Time from a request's header to its answer.")
                             .Register(registry_)),
      pass_durations_(prometheus::BuildHistogram()
                          .Name("resource_exporter_pass_duration_seconds")
                          .Help("Time to run the collectors once and write the pages.")
                          .Register(registry_)
                          .Add({}, kDurationBuckets)),
      page_bytes_(prometheus::BuildGauge()
                      .Name("resource_exporter_page_bytes")
                      .Help("Size of the last page that was sent, before compression.")
                      .Register(registry_)
                      .Add({})),
      refused_families_(prometheus::BuildCounter()
                            .Name("resource_exporter_refused_families_total")
                            .Help("Families left out because their name was already on the page.")
                            .Register(registry_)
                            .Add({})),
      start_time_seconds_(procfs::this_system().wall_clock().seconds),
      bytes_per_page_(static_cast<double>(procfs::this_system().page_bytes)),
      own_proc_(open_own_proc()),
      statm_(own_proc_.keep("statm")) {
  prometheus::BuildGauge()
      .Name("resource_exporter_build_info")
      .Help("Always 1; the labels say which build this is.")
      .Register(registry_)
      .Add({{"version", std::string(kVersion)},
            {"revision", std::string(kRevision)},
            {"compiler", __VERSION__}})
      .Set(1);
  auto& events = prometheus::BuildCounter()
                     .Name("resource_exporter_http_events_total")
                     .Help("Connections and requests that came to no answer of their own, by why.")
                     .Register(registry_);
  for (const auto* name : kEventNames) events_.push_back(&events.Add({{"event", name}}));
  // A counter must be there at 0 before it first counts: increase() misses the first appearance.
  for (const auto route : {Route::metrics, Route::landing, Route::healthy, Route::ready}) {
    requests_.Add({{"handler", name_of(route)}, {"code", "200"}});
  }
  requests_.Add({{"handler", name_of(Route::unknown)}, {"code", "404"}});
  request_durations_.Add({{"handler", name_of(Route::metrics)}}, kDurationBuckets);
}

void SelfMetrics::observe_request(Route route, unsigned status,
                                  std::chrono::duration<double> duration) {
  const auto name = name_of(route);
  requests_.Add({{"handler", name}, {"code", std::to_string(status)}}).Increment();
  request_durations_.Add({{"handler", name}}, kDurationBuckets).Observe(duration.count());
}

void SelfMetrics::observe_event(http::Event event) {
  events_.at(static_cast<std::size_t>(event))->Increment();
}

void SelfMetrics::observe_pass(std::chrono::duration<double> duration) {
  pass_durations_.Observe(duration.count());
}

void SelfMetrics::observe_page(std::size_t bytes) { page_bytes_.Set(static_cast<double>(bytes)); }

void SelfMetrics::count_refused_families(std::size_t count) {
  if (count > 0) refused_families_.Increment(static_cast<double>(count));
}

void SelfMetrics::emit(metrics::Sink& sink) {
  emit_registry(registry_, sink);
  emit_process(sink);
}

void SelfMetrics::emit_process(metrics::Sink& sink) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  sink.single(kCpuSeconds, seconds(usage.ru_utime) + seconds(usage.ru_stime));
  sink.single(kStartTime, start_time_seconds_);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    sink.single(kMaxFds, static_cast<double>(limit.rlim_cur));
  }

  const std::lock_guard lock(own_proc_mutex_);
  // Linux 6.2 and later tell the number as the directory's size; before, they are counted, with
  // the one that counting takes.
  if (const auto status = own_proc_.status("fd"); status && status->size_bytes > 0) {
    sink.single(kOpenFds, static_cast<double>(status->size_bytes));
  } else if (const auto listed = own_proc_.count("fd"); listed && *listed > 0) {
    sink.single(kOpenFds, static_cast<double>(*listed - 1));
  }
  const auto statm = statm_.read();
  if (!statm) return;
  auto columns = *statm;
  std::uint64_t virtual_pages = 0;
  std::uint64_t resident_pages = 0;
  if (!procfs::to_number(procfs::take_field(columns), virtual_pages) ||
      !procfs::to_number(procfs::take_field(columns), resident_pages)) {
    return;
  }
  sink.single(kVirtual, static_cast<double>(virtual_pages) * bytes_per_page_);
  sink.single(kResident, static_cast<double>(resident_pages) * bytes_per_page_);
}

}  // namespace exporter
