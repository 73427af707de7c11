// Time of each CPU by mode, from /proc/stat. Families of node_exporter.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <vector>

#include "collectors/catalog.hpp"

namespace collectors {
namespace {

using metrics::Family;
using metrics::Kind;
using procfs::CpuTicks;

constexpr Family kSeconds = {"node_cpu_seconds_total",
                             "Time each CPU spent in each mode since boot, from /proc/stat.",
                             Kind::counter};
constexpr Family kGuestSeconds = {"node_cpu_guest_seconds_total",
                                  "Time each CPU ran guests since boot, which is also in its user "
                                  "and nice time, from /proc/stat.",
                                  Kind::counter};

struct Mode {
  std::string_view name;
  std::uint64_t CpuTicks::*ticks;
};
constexpr std::array kModes = {
    Mode{"idle", &CpuTicks::idle},       Mode{"iowait", &CpuTicks::iowait},
    Mode{"irq", &CpuTicks::irq},         Mode{"nice", &CpuTicks::nice},
    Mode{"softirq", &CpuTicks::softirq}, Mode{"steal", &CpuTicks::steal},
    Mode{"system", &CpuTicks::system},   Mode{"user", &CpuTicks::user},
};
constexpr std::array kGuestModes = {
    Mode{"nice", &CpuTicks::guest_nice},
    Mode{"user", &CpuTicks::guest},
};

class Cpu final : public Collector {
 public:
  explicit Cpu(const Host& host) : host_(host) {}

  metrics::Result<void> refresh(Clock::time_point now) override {
    const auto& stat = host_.files.stat.at(now);
    if (!stat) return stat.error();
    auto cpus = stat->cpus;
    // Both lists ascend, as the kernel writes them: one walk finds each CPU's last reading.
    auto before = cpus_.cbegin();
    for (auto& cpu : cpus) {
      while (before != cpus_.cend() && before->id < cpu.id) ++before;
      if (before != cpus_.cend() && before->id == cpu.id) hold_back(cpu.ticks, before->ticks);
    }
    cpus_ = std::move(cpus);
    return {};
  }

  void emit(metrics::Sink& sink) const override {
    emit_modes(sink, kSeconds, kModes);
    emit_modes(sink, kGuestSeconds, kGuestModes);
  }

  static void list(metrics::FamilyList& list) { list.add({kSeconds, kGuestSeconds}, "cpu,mode"); }

 private:
  /// The kernel's idle and iowait may step back a little: keep the larger value, as a counter must
  /// not go back. Idle far back means that the CPU was taken out and came again: start anew.
  void hold_back(CpuTicks& ticks, const CpuTicks& before) const {
    constexpr double kHotplugSeconds = 3;
    const auto lost = static_cast<double>(before.idle) - static_cast<double>(ticks.idle);
    if (lost >= kHotplugSeconds * host_.system.ticks_per_second) return;
    for (const auto column : procfs::kCpuTicksColumns) {
      ticks.*column = std::max(ticks.*column, before.*column);
    }
  }

  void emit_modes(metrics::Sink& sink, const Family& family, std::span<const Mode> modes) const {
    sink.family(family);
    for (const auto& cpu : cpus_) {
      std::array<char, 16> digits;
      const auto* end = std::to_chars(digits.begin(), digits.end(), cpu.id).ptr;
      const std::string_view id(digits.data(), static_cast<std::size_t>(end - digits.data()));
      for (const auto& mode : modes) {
        sink.sample({{"cpu", id}, {"mode", mode.name}},
                    static_cast<double>(cpu.ticks.*mode.ticks) / host_.system.ticks_per_second);
      }
    }
  }

  Host host_;
  std::vector<procfs::NumberedCpu> cpus_;
};

}  // namespace

constinit const CollectorSpec kCpu = {
    "cpu",    "Time of each CPU by mode (/proc/stat).", true, Reads::memory, make_collector<Cpu>,
    Cpu::list};

}  // namespace collectors
