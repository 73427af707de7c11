#include "procfs/stat.hpp"

#include "procfs/text.hpp"

namespace procfs {
namespace {

using metrics::Result;

bool parse_ticks(std::string_view columns, CpuTicks& ticks) {
  for (const auto column : kCpuTicksColumns) {
    if (!take_number(columns, ticks.*column)) return false;
  }
  return true;
}

// Without guest and guest_nice, which user and nice hold already.
constexpr std::array kBusyColumns = {&CpuTicks::user, &CpuTicks::nice,    &CpuTicks::system,
                                     &CpuTicks::irq,  &CpuTicks::softirq, &CpuTicks::steal};

struct Counter {
  std::string_view key;
  std::uint64_t Stat::*value;
};
constexpr std::array kCounters = {
    Counter{"intr", &Stat::interrupts},
    Counter{"ctxt", &Stat::context_switches},
    Counter{"processes", &Stat::forks},
    Counter{"btime", &Stat::boot_time_seconds},
    Counter{"procs_running", &Stat::processes_running},
    Counter{"procs_blocked", &Stat::processes_blocked},
};

bool parse_cpu(std::string_view key, std::string_view columns, Stat& stat, bool& has_total) {
  if (key.size() == 3) {
    has_total = true;
    return parse_ticks(columns, stat.all_cpus);
  }
  NumberedCpu cpu;
  if (!to_number(key.substr(3), cpu.id) || !parse_ticks(columns, cpu.ticks)) return false;
  stat.cpus.push_back(cpu);
  return true;
}

}  // namespace

Result<Stat> parse_stat(std::string_view text) {
  Stat stat;
  bool has_total = false;
  unsigned found = 0;  // bit i: kCounters[i]
  while (!text.empty()) {
    const auto line = take_line(text);
    auto rest = line;
    const auto key = take_field(rest);
    if (key.starts_with("cpu")) {
      if (!parse_cpu(key, rest, stat, has_total)) return malformed("stat", line);
      continue;
    }
    for (unsigned i = 0; i < kCounters.size(); ++i) {
      if (key != kCounters[i].key) continue;
      if (!take_number(rest, stat.*kCounters[i].value)) return malformed("stat", line);
      found |= 1U << i;
    }
  }
  if (!has_total) return malformed("stat", "no cpu line");
  if (found != (1U << kCounters.size()) - 1) return malformed("stat", "a line is missing");
  return stat;
}

std::optional<CpuShares> cpu_shares(const CpuTicks& before, const CpuTicks& after) {
  const auto passed = [&](std::uint64_t CpuTicks::*column) {
    const auto was = before.*column;
    const auto is = after.*column;
    return is > was ? static_cast<double>(is - was) : 0.0;
  };
  const double iowait = passed(&CpuTicks::iowait);
  double busy = 0;
  for (const auto column : kBusyColumns) busy += passed(column);
  const double ticks = busy + passed(&CpuTicks::idle) + iowait;
  if (ticks <= 0) return std::nullopt;
  return CpuShares{.busy = busy / ticks,
                   .iowait = iowait / ticks,
                   .steal = passed(&CpuTicks::steal) / ticks,
                   .ticks = ticks};
}

std::optional<double> busy_ratio(const CpuTicks& before, const CpuTicks& after) {
  const auto shares = cpu_shares(before, after);
  return shares ? std::optional(shares->busy) : std::nullopt;
}

}  // namespace procfs
