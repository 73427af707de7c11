#include "bench/host_page.hpp"

#include <array>
#include <utility>

namespace bench {
namespace {

constexpr int kCpus = 64;
constexpr int kMemoryFields = 50;
constexpr int kVmstatFields = 150;
constexpr int kNetworkDevices = 8;
constexpr int kDisks = 10;
constexpr int kGroups = 60;
constexpr std::array<std::string_view, 8> kModes = {"idle",    "iowait", "irq",    "nice",
                                                    "softirq", "steal",  "system", "user"};

}  // namespace

HostPage::HostPage() {
  add_cpus();
  add_memory();
  add_devices("node_network_", "enp", kNetworkDevices,
              {"receive_bytes", "receive_packets", "receive_errs", "receive_drop", "receive_fifo",
               "receive_frame", "receive_compressed", "receive_multicast", "transmit_bytes",
               "transmit_packets", "transmit_errs", "transmit_drop", "transmit_fifo",
               "transmit_colls", "transmit_carrier", "transmit_compressed"});
  add_devices(
      "node_disk_", "nvme", kDisks,
      {"reads_completed", "reads_merged", "read_bytes", "read_time_seconds", "writes_completed",
       "writes_merged", "written_bytes", "write_time_seconds", "io_time_seconds",
       "io_time_weighted_seconds", "discards_completed", "discards_merged", "discarded_sectors",
       "discard_time_seconds", "flush_requests", "flush_requests_time_seconds"});
  add_groups();
}

std::size_t HostPage::sample_count() const {
  std::size_t count = 0;
  for (const auto& family : families_) count += family.samples.size();
  return count;
}

void HostPage::add_cpus() {
  auto& seconds = open("node_cpu_seconds_total", metrics::Kind::counter);
  for (int cpu = 0; cpu < kCpus; ++cpu) {
    const auto name = keep(std::to_string(cpu));
    for (const auto mode : kModes) {
      seconds.samples.push_back({{{"cpu", name}, {"mode", mode}}, next_seconds()});
    }
  }
}

void HostPage::add_memory() {
  for (int i = 0; i < kMemoryFields; ++i) {
    auto& family = open("node_memory_Field" + std::to_string(i) + "_bytes", metrics::Kind::gauge);
    family.samples.push_back({{}, next_count() * 1024});
  }
  for (int i = 0; i < kVmstatFields; ++i) {
    auto& family = open("node_vmstat_field_" + std::to_string(i), metrics::Kind::unknown);
    family.samples.push_back({{}, next_count()});
  }
}

void HostPage::add_devices(std::string_view prefix, std::string_view device_prefix, int devices,
                           const std::vector<std::string_view>& fields) {
  for (const auto field : fields) {
    auto name = std::string(prefix) + std::string(field) + "_total";
    auto& family = open(std::move(name), metrics::Kind::counter);
    for (int device = 0; device < devices; ++device) {
      const auto label = keep(std::string(device_prefix) + std::to_string(device) + "s0");
      const auto value = field.ends_with("_seconds") ? next_seconds() : next_count();
      family.samples.push_back({{{"device", label}}, value});
    }
  }
}

void HostPage::add_groups() {
  constexpr std::array<std::pair<std::string_view, bool>, 12> kFields = {
      {{"cpu_seconds", true},
       {"memory_bytes", true},
       {"num_procs", false},
       {"num_threads", false},
       {"open_filedesc", false},
       {"read_bytes", false},
       {"write_bytes", false},
       {"context_switches", true},
       {"page_faults", true},
       {"states", true},
       {"worst_fd_ratio", false},
       {"started", false}}};
  constexpr std::array<std::string_view, 4> kKinds = {"resident", "virtual", "voluntary", "major"};
  for (const auto& [field, has_kinds] : kFields) {
    auto& family = open("namedprocess_namegroup_" + std::string(field), metrics::Kind::gauge);
    for (int group = 0; group < kGroups; ++group) {
      const auto name = keep("python3:train-worker-" + std::to_string(group));
      const bool is_seconds = field.ends_with("_seconds") || field.ends_with("_ratio");
      for (std::size_t kind = 0; kind < (has_kinds ? kKinds.size() : 1); ++kind) {
        const auto value = is_seconds ? next_seconds() : next_count();
        family.samples.push_back({{{"groupname", name}}, value});
        if (has_kinds) family.samples.back().labels.push_back({"kind", kKinds.at(kind)});
      }
    }
  }
}

std::string_view HostPage::keep(std::string text) { return texts_.emplace_back(std::move(text)); }

HostPage::Family& HostPage::open(std::string name, metrics::Kind kind) {
  const auto kept = keep(std::move(name));
  const auto help = keep("What " + std::string(kept) + " counts, from /proc.");
  return families_.emplace_back(Family{{kept, help, kind}, {}});
}

double HostPage::next_seconds() { return next_count() / 100; }

/// Of two to ten digits, as on a host that has been up for a while.
double HostPage::next_count() {
  state_ = state_ * 1664525U + 1013904223U;  // Numerical Recipes' generator: any will do
  return static_cast<double>(state_ >> (state_ % 5 * 5));
}

}  // namespace bench
