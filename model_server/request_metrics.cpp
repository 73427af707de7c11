#include "model_server/request_metrics.hpp"

#include <utility>

#include "model_server/add_series.hpp"

namespace model_server {
namespace {

const std::vector<double> kDurationEdges = {25e-6,  50e-6, 100e-6, 250e-6, 500e-6, 1e-3,
                                            2.5e-3, 5e-3,  10e-3,  25e-3,  100e-3, 1};

// By Api and Result.
constexpr std::array kApiNames = {"seed", "v2"};
constexpr std::array kResultNames = {"success", "bad_request", "overload", "error"};

}  // namespace

RequestMetrics::RequestMetrics(const prometheus::Labels& labels)
    : ready_(add_gauge(registry_, "model_ready",
                       "Whether the model is loaded and the server is not about to stop.", labels)),
      in_flight_(add_gauge(registry_, "model_requests_in_flight",
                           "Requests for predictions that are not answered yet.", labels)),
      inferences_(add_counter(registry_, "model_inferences_total",
                              "Inputs that the network has computed.", labels)),
      executions_(add_counter(registry_, "model_executions_total",
                              "Requests of which the network has computed one input or more.",
                              labels)),
      request_duration_(add_histogram(registry_, "model_request_duration_seconds",
                                      "Time from the whole request to its answer.", labels,
                                      kDurationEdges)),
      queue_duration_(add_histogram(registry_, "model_queue_duration_seconds",
                                    "Time that requests waited for a worker.", labels,
                                    kDurationEdges)),
      compute_duration_(add_histogram(registry_, "model_compute_duration_seconds",
                                      "Time that the network took for the inputs of a request.",
                                      labels, kDurationEdges)) {
  add_requests(labels);
  add_rejections(labels);
}

void RequestMetrics::add_requests(const prometheus::Labels& labels) {
  for (std::size_t api = 0; api < kApis; ++api) {
    for (std::size_t result = 0; result < kResults; ++result) {
      auto more_labels = with_label(labels, "api", kApiNames.at(api));
      more_labels["result"] = kResultNames.at(result);
      requests_.at(api).at(result) = &add_counter(
          registry_, "model_requests_total",
          "Requests for predictions, by interface and by what came of them.", more_labels);
    }
  }
}

void RequestMetrics::add_rejections(const prometheus::Labels& labels) {
  for (std::size_t reason = 0; reason < kReasonNames.size(); ++reason) {
    rejections_.at(reason) =
        &add_counter(registry_, "model_input_rejected_total",
                     "Requests that were refused as bad, by what was wrong.",
                     with_label(labels, "reason", std::string(kReasonNames.at(reason))));
  }
}

void RequestMetrics::set_ready(bool is_ready) { ready_.Set(is_ready ? 1 : 0); }

void RequestMetrics::count(Api api, Result result) {
  requests_.at(static_cast<std::size_t>(api)).at(static_cast<std::size_t>(result))->Increment();
}

void RequestMetrics::count_refused(Api api, Reason reason) {
  count(api, Result::bad_request);
  count_rejection(reason);
}

void RequestMetrics::count_overload(Api api) { count(api, Result::overload); }

void RequestMetrics::count_rejection(Reason reason) {
  rejections_.at(static_cast<std::size_t>(reason))->Increment();
}

void RequestMetrics::observe_execution(std::size_t rows, Seconds queued, Seconds computed) {
  queue_duration_.Observe(queued.count());
  if (rows == 0) return;  // no time at all must not make the network look fast
  executions_.Increment();
  inferences_.Increment(static_cast<double>(rows));
  compute_duration_.Observe(computed.count());
}

std::vector<prometheus::MetricFamily> RequestMetrics::families() const {
  return registry_.Collect();
}

PendingRequest::PendingRequest(std::shared_ptr<RequestMetrics> metrics, Api api)
    : metrics_(std::move(metrics)), api_(api) {
  metrics_->in_flight_.Increment();
}

PendingRequest::~PendingRequest() {
  if (!has_ended_) end(Result::error, std::nullopt);
}

void PendingRequest::end(Result result, std::optional<Seconds> duration) {
  has_ended_ = true;
  metrics_->in_flight_.Decrement();
  metrics_->count(api_, result);
  if (duration) metrics_->request_duration_.Observe(duration->count());
}

}  // namespace model_server
