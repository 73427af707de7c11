#include "exporter/self_metrics.hpp"

#include <sys/resource.h>

#include <stdexcept>
#include <string>

#include "exporter/version.hpp"
#include "procfs/system.hpp"

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
    "Families left out because a name of theirs was already on the page.", Kind::counter};
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
                               "When the exporter started, in seconds since the epoch, from "
                               "/proc/self/stat."};
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

}  // namespace

SelfMetrics::SelfMetrics(OnPage on_page)
    : on_page_(on_page),
      pass_durations_(registry_.histogram(kPassDuration, kDurationBuckets)),
      sampler_cpu_(registry_.counter(kSamplerCpu)),
      page_bytes_(registry_.gauge(kPageBytes)),
      refused_families_(registry_.counter(kRefusedFamilies)),
      max_fds_(open_files_limit()),
      own_fds_(open_own("/proc/self/fd")) {
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
  sink.single(kCpuSeconds, service::OwnProcess::cpu_seconds());
  if (const auto start = process_.start_time_seconds()) sink.single(kStartTime, *start);
  sink.single(kMaxFds, max_fds_);

  const std::lock_guard lock(process_mutex_);
  // Linux 6.2 and later tell the number as the directory's size; before, they are counted, with
  // the one that counting takes.
  if (const auto status = own_fds_.status("."); status && status->size_bytes > 0) {
    sink.single(kOpenFds, static_cast<double>(status->size_bytes));
  } else if (const auto listed = own_fds_.count("."); listed && *listed > 0) {
    sink.single(kOpenFds, static_cast<double>(*listed - 1));
  }
  const auto memory = process_.memory();
  if (!memory) return;
  sink.single(kVirtual, memory->virtual_bytes);
  sink.single(kResident, memory->resident_bytes);
}

}  // namespace exporter
