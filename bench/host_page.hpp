#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/sink.hpp"

namespace bench {

/// A made-up page with the names, labels and kinds of numbers of a real host: 64 CPUs, 8 network
/// devices, 10 disks and 60 process groups. Counters of seconds have decimals, counters of events
/// and bytes are integers. The same on every machine and in every run.
class HostPage {
 public:
  struct Sample {
    std::vector<metrics::Label> labels;
    double value = 0;
  };
  struct Family {
    metrics::Family description;
    std::vector<Sample> samples;
  };

  HostPage();
  HostPage(const HostPage&) = delete;
  HostPage& operator=(const HostPage&) = delete;

  [[nodiscard]] const std::vector<Family>& families() const { return families_; }
  [[nodiscard]] std::size_t sample_count() const;

 private:
  void add_cpus();
  void add_memory();
  void add_devices(std::string_view prefix, std::string_view device_prefix, int devices,
                   const std::vector<std::string_view>& fields);
  void add_groups();

  std::string_view keep(std::string text);
  Family& open(std::string name, metrics::Kind kind);
  double next_seconds();
  double next_count();

  std::deque<std::string> texts_;  // the views of families_ point here
  std::vector<Family> families_;
  unsigned state_ = 1;
};

}  // namespace bench
