// The three values of Python's psutil that dashboards of the original service ask for, from
// /proc/stat and /proc/meminfo.
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "collectors/catalog.hpp"

namespace collectors {
namespace {

using metrics::Family;
using procfs::CpuTicks;

constexpr Family kCpuPercent = {"cpu_percent",
                                "Busy share of all CPUs in percent, averaged over the window "
                                "(--window), from /proc/stat."};
constexpr Family kMemoryFree = {
    "virtual_memory_free", "Memory that nothing uses, in bytes, from /proc/meminfo (MemFree)."};
constexpr Family kMemoryPercent = {"virtual_memory_percent",
                                   "Share of memory that is not available, in percent, from "
                                   "/proc/meminfo (MemTotal, MemAvailable)."};

/// As psutil gives percentages: to one decimal, like Python's round(), so a tie in the exact
/// binary value goes to the even digit.
double percent(double ratio) {
  constexpr double kPercent = 100;
  constexpr double kTenths = 10;
  // Only next to the middle between two tenths do the digits behind the first decide.
  const double tenths = ratio * kPercent * kTenths;
  const auto nearest = static_cast<double>(std::llround(tenths));
  constexpr double kDoubtful = 0.499;
  if (std::abs(tenths - nearest) < kDoubtful) return nearest / kTenths;
  std::array<char, 32> digits;
  const auto written =
      std::to_chars(digits.begin(), digits.end(), ratio * kPercent, std::chars_format::fixed, 1);
  double rounded = 0;
  std::from_chars(digits.begin(), written.ptr, rounded);
  return rounded;
}

/// What CPU time had been spent at each tick, as far back as the window reaches.
class CpuHistory {
 public:
  CpuHistory(std::chrono::nanoseconds window, std::chrono::nanoseconds interval)
      : window_(window), ring_(ring_size(window, interval)) {}

  void add(Clock::time_point now, const CpuTicks& ticks) {
    forget_before_window(now);
    if (count_ == ring_.size()) drop_oldest();
    ring_[(oldest_ + count_) % ring_.size()] = {now, ticks};
    ++count_;
  }

  /// The reading from which the window that ends at `now` is measured: the newest that is at least
  /// a window old, so that the window is covered whole; before there is one, the first of all.
  const CpuTicks* window_start(Clock::time_point now) {
    forget_before_window(now);
    return count_ == 0 ? nullptr : &ring_[oldest_].ticks;
  }

 private:
  struct Sample {
    Clock::time_point time;
    CpuTicks ticks;
  };

  /// Both ends of the window count. Without ticks there is nothing to keep.
  static std::size_t ring_size(std::chrono::nanoseconds window, std::chrono::nanoseconds interval) {
    if (interval.count() <= 0) return 1;
    const auto intervals = (window.count() + interval.count() - 1) / interval.count();
    return static_cast<std::size_t>(intervals) + 1;
  }

  void forget_before_window(Clock::time_point now) {
    while (count_ > 1 && now - ring_[(oldest_ + 1) % ring_.size()].time >= window_) drop_oldest();
  }

  void drop_oldest() {
    oldest_ = (oldest_ + 1) % ring_.size();
    --count_;
  }

  std::chrono::nanoseconds window_;
  std::vector<Sample> ring_;
  std::size_t oldest_ = 0;
  std::size_t count_ = 0;
};

class Psutil final : public Collector {
 public:
  explicit Psutil(const Host& host)
      : files_(host.files), history_(host.window, host.sample_interval) {}

  /// A reading that fails is missing from the history, no more: refresh() reports the trouble.
  void tick(Clock::time_point now) override {
    const auto& stat = files_.stat.at(now);
    if (stat) history_.add(now, stat->all_cpus);
  }

  metrics::Result<void> refresh(Clock::time_point now) override {
    const auto& stat = files_.stat.at(now);
    if (!stat) return stat.error();
    const auto& memory = files_.meminfo.at(now);
    if (!memory) return memory.error();
    const auto total_bytes = memory->find("MemTotal");
    const auto free_bytes = memory->find("MemFree");
    if (!total_bytes || !free_bytes) {
      return metrics::Error{metrics::Errc::malformed, "meminfo: no MemTotal or no MemFree"};
    }
    const auto* start = history_.window_start(now);
    busy_ratio_ = start == nullptr ? std::nullopt : procfs::busy_ratio(*start, stat->all_cpus);
    free_bytes_ = *free_bytes;
    used_ratio_ = used_ratio(*total_bytes, *free_bytes, memory->find("MemAvailable"));
    return {};
  }

  void emit(metrics::Sink& sink) const override {
    if (busy_ratio_) sink.single(kCpuPercent, percent(*busy_ratio_));
    sink.single(kMemoryFree, static_cast<double>(free_bytes_));
    if (used_ratio_) sink.single(kMemoryPercent, percent(*used_ratio_));
  }

  static void list(metrics::FamilyList& list) {
    list.add({kCpuPercent, kMemoryFree, kMemoryPercent});
  }

 private:
  static std::optional<double> used_ratio(std::uint64_t total_bytes, std::uint64_t free_bytes,
                                          std::optional<std::uint64_t> available_bytes) {
    if (!available_bytes) return std::nullopt;
    // In an LXC container MemAvailable may be the host's while the others are the container's.
    if (*available_bytes > total_bytes) available_bytes = free_bytes;
    if (total_bytes == 0 || *available_bytes > total_bytes) return std::nullopt;
    return static_cast<double>(total_bytes - *available_bytes) / static_cast<double>(total_bytes);
  }

  procfs::HostFiles& files_;
  CpuHistory history_;
  std::optional<double> busy_ratio_;
  std::uint64_t free_bytes_ = 0;
  std::optional<double> used_ratio_;
};

}  // namespace

constinit const CollectorSpec kPsutil = {
    "psutil",
    "The gauges cpu_percent and virtual_memory_* as psutil has them.",
    true,
    Reads::memory,
    make_collector<Psutil>,
    Psutil::list};

}  // namespace collectors
