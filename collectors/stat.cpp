// What /proc/stat says of the whole host besides CPU time. Families of node_exporter.
#include "procfs/stat.hpp"

#include <array>
#include <cstdint>

#include "collectors/catalog.hpp"

namespace collectors {
namespace {

using metrics::Family;
using metrics::Kind;
using procfs::Stat;

struct StatRow {
  Family family;
  std::uint64_t Stat::*value;
};
constexpr std::array kStatRows = {
    StatRow{
        {"node_intr_total", "Interrupts served since boot, from /proc/stat (intr).", Kind::counter},
        &Stat::interrupts},
    StatRow{{"node_context_switches_total",
             "Switches between tasks since boot, all CPUs together, from /proc/stat (ctxt).",
             Kind::counter},
            &Stat::context_switches},
    StatRow{
        {"node_forks_total",
         "Processes and threads created since boot, from /proc/stat (processes).", Kind::counter},
        &Stat::forks},
    StatRow{{"node_boot_time_seconds",
             "When the host booted, in seconds since the epoch, from /proc/stat (btime)."},
            &Stat::boot_time_seconds},
    StatRow{{"node_procs_running",
             "Tasks that run or wait for a CPU, from /proc/stat (procs_running)."},
            &Stat::processes_running},
    StatRow{{"node_procs_blocked", "Tasks held up by I/O, from /proc/stat (procs_blocked)."},
            &Stat::processes_blocked},
};

class SystemStat final : public Collector {
 public:
  explicit SystemStat(const Host& host) : files_(host.files) {}

  metrics::Result<void> refresh(Clock::time_point now) override {
    const auto& stat = files_.stat.at(now);
    if (!stat) return stat.error();
    for (std::size_t i = 0; i < kStatRows.size(); ++i) values_[i] = *stat.*kStatRows[i].value;
    return {};
  }

  void emit(metrics::Sink& sink) const override {
    for (std::size_t i = 0; i < kStatRows.size(); ++i) {
      sink.single(kStatRows[i].family, static_cast<double>(values_[i]));
    }
  }

  static void list(metrics::FamilyList& list) { list.add_rows(kStatRows); }

 private:
  procfs::HostFiles& files_;
  std::array<std::uint64_t, kStatRows.size()> values_{};
};

}  // namespace

constinit const CollectorSpec kStat = {
    "stat",
    "Interrupts, context switches, forks and boot time (/proc/stat).",
    true,
    Reads::memory,
    make_collector<SystemStat>,
    SystemStat::list};

}  // namespace collectors
