#include "model_server/client/client_metrics.hpp"

#include <prometheus/text_serializer.h>

#include <utility>
#include <vector>

#include "model_server/add_series.hpp"

namespace model_client {
namespace {

using model_server::add_counter;
using model_server::add_gauge;
using model_server::add_gauges;
using model_server::add_histogram;

const std::vector<double> kDurationEdges = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                            0.025,  0.05,    0.1,    0.25,  1,      5};

void set(prometheus::Family<prometheus::Gauge>& gauges, std::optional<double> value) {
  auto& gauge = gauges.Add({});
  if (value) {
    gauge.Set(*value);
  } else {
    gauges.Remove(&gauge);
  }
}

double unix_seconds() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since_epoch).count();
}

}  // namespace

ClientMetrics::ClientMetrics(service::OwnProcess process)
    : process_(std::move(process)),
      durations_(
          add_histogram(registry_, "request_processing_seconds",
                        "Time of each request that was sent, until it was answered, cut or late.",
                        {}, kDurationEdges)),
      progressed_(add_gauge(registry_, "my_progressed_requests",
                            "Requests that brought a prediction, since the client started.")),
      failures_in_a_row_(
          add_gauge(registry_, "model_client_consecutive_failures",
                    "Requests without a prediction since the last one that had one.")),
      pause_(add_gauge(registry_, "model_client_pause_seconds",
                       "How long the client waits before its next request.")),
      cpu_seconds_(add_counter(registry_, "process_cpu_seconds_total",
                               "User and system time that this process has used.")),
      resident_bytes_(add_gauges(registry_, "process_resident_memory_bytes",
                                 "Resident memory of this process, from /proc/self/statm.")),
      last_predictions_(
          add_gauges(registry_, "model_client_last_prediction", "What the server predicted last.")),
      last_prediction_times_(add_gauges(registry_, "model_client_last_prediction_timestamp_seconds",
                                        "When the last prediction came, in Unix time.")) {
  set(add_gauges(registry_, "process_start_time_seconds",
                 "When this process started, in Unix time, from /proc/self/stat."),
      process_.start_time_seconds());
  // All at 0 from the start: increase() misses what a counter appears with.
  for (std::size_t i = 0; i < kFailureCount; ++i) {
    failures_.at(i) = &add_counter(registry_, "model_client_failures_total",
                                   "Requests that brought no prediction, by reason.",
                                   {{"reason", name_of(static_cast<Failure>(i))}});
  }
}

void ClientMetrics::observe_request(std::chrono::duration<double> duration) {
  durations_.Observe(duration.count());
}

void ClientMetrics::observe_prediction(double value) {
  progressed_.Increment();
  set(last_predictions_, value);
  set(last_prediction_times_, unix_seconds());
}

void ClientMetrics::observe_failure(Failure failure) {
  failures_.at(static_cast<std::size_t>(failure))->Increment();
}

void ClientMetrics::set_failures_in_a_row(unsigned count) { failures_in_a_row_.Set(count); }

void ClientMetrics::set_pause(std::chrono::duration<double> pause) { pause_.Set(pause.count()); }

std::string ClientMetrics::page() {
  cpu_seconds_.Increment(service::OwnProcess::cpu_seconds() - cpu_seconds_.Value());
  const auto memory = process_.memory();
  set(resident_bytes_, memory ? std::optional(memory->resident_bytes) : std::nullopt);
  return prometheus::TextSerializer().Serialize(registry_.Collect());
}

}  // namespace model_client
