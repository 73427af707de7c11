#pragma once

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <vector>

#include "http/server.hpp"

namespace model_server {

/// What is counted of the process, whatever model it serves: these series have no labels of one.
/// One thread.
class ServiceMetrics {
 public:
  /// Everything is there at 0 from the start.
  ServiceMetrics();

  void count_load_failure();
  void count(http::Event event);

  [[nodiscard]] std::vector<prometheus::MetricFamily> families() const;

 private:
  prometheus::Registry registry_;
  prometheus::Counter& load_failures_;
  std::vector<prometheus::Counter*> events_;  // by http::Event
};

}  // namespace model_server
