#include "exporter/self_metrics.hpp"

#include <sys/resource.h>

#include <stdexcept>
#include <string>

#include "exporter/version.hpp"
#include "procfs/system.hpp"
#include "procfs/text.hpp"

namespace exporter {
namespace {

using metrics::Family;
using metrics::Kind;

constexpr std::array kEventNames = {"accept_failed", "connection_refused", "request_rejected",
                                    "deadline_passed", "session_failed"};

constexpr unsigned kStatusOk = 200;
constexpr unsigned kStatusNotFound = 404;

const prometheus::Histogram::BucketBoundaries kDurationBuckets = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.1, 1, 10};

constexpr Family kBuildInfo = {"resource_exporter_build_info",
                               "Always 1; the labels say which build this is."};
constexpr Family kRequests = {"resource_exporter_http_requests_total",
                              "Requests answered, by what was asked for and the status.",
                              Kind::counter};
constexpr Family kRequestDuration = {"resource_exporter_http_request_duration_seconds",
                                     "Time from a request's header to its answer.",
                                     Kind::histogram};
constexpr Family kEvents = {"resource_exporter_http_events_total",
                            "Connections and requests that came to no answer of their own, by why.",
                            Kind::counter};
constexpr Family kPassDuration = {"resource_exporter_pass_duration_seconds",
                                  "Time to run the collectors once and write the pages.",
                                  Kind::histogram};
constexpr Family kSamplerCpu = {"resource_exporter_sampler_cpu_seconds_total",
                                "CPU time of the samples between scrapes, from clock_gettime(2).",
                                Kind::counter};
constexpr Family kPageBytes = {"resource_exporter_page_bytes",
                               "Size of the last page that was sent, before compression."};
constexpr Family kRefusedFamilies = {
    "resource_exporter_refused_families_total",
    "Families left out because their name was already on the page.", Kind::counter};
constexpr Family kReloadGood = {"resource_exporter_config_last_reload_successful",
                                "Whether the configuration was good when it was last read: at the "
                                "start or on SIGHUP."};
constexpr Family kReloadTime = {"resource_exporter_config_last_reload_success_timestamp_seconds",
                                "When the configuration in force was read, in seconds since the "
                                "epoch."};
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

procfs::FileReader open_own(const char* directory) {
  auto reader = procfs::FileReader::open(directory);
  if (!reader) throw std::runtime_error(reader.error().detail);
  return *std::move(reader);
}

double open_files_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);  // fails only for a bad pointer
  return static_cast<double>(limit.rlim_cur);
}

double seconds(const timeval& time) {
  constexpr double kSecondsPerMicrosecond = 1e-6;
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_usec) * kSecondsPerMicrosecond;
}

}  // namespace

SelfMetrics::SelfMetrics(OnPage on_page)
    : on_page_(on_page),
      pass_durations_(registry_.histogram(kPassDuration, kDurationBuckets)),
      sampler_cpu_(registry_.counter(kSamplerCpu)),
      page_bytes_(registry_.gauge(kPageBytes)),
      refused_families_(registry_.counter(kRefusedFamilies)),
      start_time_seconds_(procfs::this_system().wall_clock().seconds),
      bytes_per_page_(static_cast<double>(procfs::this_system().page_bytes)),
      max_fds_(open_files_limit()),
      own_proc_(open_own("/proc/self")),
      own_fds_(open_own("/proc/self/fd")),
      statm_(own_proc_.keep("statm", procfs::Ending::short_read)) {
  registry_
      .gauge(kBuildInfo, {{"version", std::string(kVersion)},
                          {"revision", std::string(kRevision)},
                          {"compiler", __VERSION__}})
      .Set(1);
  for (const auto* name : kEventNames) {
    events_.push_back(&registry_.counter(kEvents, {{"event", name}}));
  }
  // A counter must be there at 0 before it first counts: increase() misses the first appearance.
  for (const auto route : {Route::metrics, Route::landing, Route::healthy, Route::ready}) {
    requests(route, kStatusOk);
  }
  requests(Route::unknown, kStatusNotFound);
  request_durations(Route::metrics);
}

prometheus::Counter& SelfMetrics::requests(Route route, unsigned status) {
  auto*& counter = requests_[{route, status}];
  if (counter == nullptr) {
    counter = &registry_.counter(kRequests,
                                 {{"handler", name_of(route)}, {"code", std::to_string(status)}});
  }
  return *counter;
}

prometheus::Histogram& SelfMetrics::request_durations(Route route) {
  auto*& histogram = request_durations_.at(static_cast<std::size_t>(route));
  if (histogram == nullptr) {
    histogram =
        &registry_.histogram(kRequestDuration, kDurationBuckets, {{"handler", name_of(route)}});
  }
  return *histogram;
}

void SelfMetrics::observe_request(Route route, unsigned status,
                                  std::chrono::duration<double> duration) {
  requests(route, status).Increment();
  request_durations(route).Observe(duration.count());
}

void SelfMetrics::observe_event(http::Event event) {
  events_.at(static_cast<std::size_t>(event))->Increment();
}

void SelfMetrics::observe_pass(std::chrono::duration<double> duration) {
  pass_durations_.Observe(duration.count());
}

void SelfMetrics::observe_tick(std::chrono::duration<double> cpu_time) {
  sampler_cpu_.Increment(cpu_time.count());
}

void SelfMetrics::observe_page(std::size_t bytes) { page_bytes_.Set(static_cast<double>(bytes)); }

void SelfMetrics::observe_reload(bool is_good) {
  registry_.gauge(kReloadGood).Set(is_good ? 1 : 0);
  if (is_good) registry_.gauge(kReloadTime).Set(procfs::this_system().wall_clock().seconds);
}

void SelfMetrics::count_refused_families(std::size_t count) {
  if (count > 0) refused_families_.Increment(static_cast<double>(count));
}

void SelfMetrics::emit(metrics::Sink& sink) {
  if (on_page_ == OnPage::no) return;
  registry_.emit(sink);
  emit_process(sink);
}

void SelfMetrics::list(metrics::FamilyList& list) {
  list.add({kPassDuration, kSamplerCpu, kPageBytes, kRefusedFamilies});
  list.add({kBuildInfo}, "version,revision,compiler");
  list.add({kEvents}, "event");
  list.add({kRequests}, "handler,code");
  list.add({kRequestDuration}, "handler");
  list.add({kReloadGood, kReloadTime}, {}, "with --collector.process.config");
  list.add({kCpuSeconds, kStartTime, kMaxFds, kOpenFds, kVirtual, kResident});
}

void SelfMetrics::emit_process(metrics::Sink& sink) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  sink.single(kCpuSeconds, seconds(usage.ru_utime) + seconds(usage.ru_stime));
  sink.single(kStartTime, start_time_seconds_);
  sink.single(kMaxFds, max_fds_);

  const std::lock_guard lock(own_proc_mutex_);
  // Linux 6.2 and later tell the number as the directory's size; before, they are counted, with
  // the one that counting takes.
  if (const auto status = own_fds_.status("."); status && status->size_bytes > 0) {
    sink.single(kOpenFds, static_cast<double>(status->size_bytes));
  } else if (const auto listed = own_fds_.count("."); listed && *listed > 0) {
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
