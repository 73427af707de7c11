// Where the ledger has its processes from.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "collectors/collector.hpp"
#include "collectors/process/ledger.hpp"
#include "collectors/process/observation.hpp"
#include "metrics/result.hpp"

namespace collectors {

inline constexpr Setting kProcessBudget = {
    "budget", "CPU time for samples from /proc between scrapes, as a percentage of a core", "0.5%"};

/// A way to see all processes of the host, and perhaps their exits. What needs a privilege is
/// opened when it is made; afterwards none is needed. Not thread-safe.
class ProcessSource {
 public:
  ProcessSource() = default;
  ProcessSource(const ProcessSource&) = delete;
  ProcessSource& operator=(const ProcessSource&) = delete;
  ProcessSource(ProcessSource&&) = delete;
  ProcessSource& operator=(ProcessSource&&) = delete;
  virtual ~ProcessSource() = default;

  /// Replaces both, of which `walk` must be that of the time before: the exits told since the last
  /// time, and a walk. A process that is in neither has its exit told later; one that is in both is
  /// told for good. Never is one in a walk after its exit was told without it having been in a walk
  /// by then.
  virtual metrics::Result<void> read(WalkFor purpose, ProcessExits& exits, ProcessWalkResult& walk,
                                     Clock::time_point now) = 0;

  /// Takes what the kernel keeps for us, which has an end: in every tick, whether or not a walk is
  /// due.
  virtual void listen() {}

  /// What a tick cost in all, in CPU time of this thread: where there is a budget, what read() did
  /// not count is taken off, too.
  virtual void charge_tick(double /*cpu_seconds*/, Clock::time_point /*now*/) {}

  /// Whether a walk for a sample is due: what it costs may not be worth it every tick.
  [[nodiscard]] virtual bool is_due(Clock::time_point /*now*/) const { return true; }

  /// What it could not see, ever. Only grows.
  struct Losses {
    std::uint64_t exits = 0;   ///< Exits that were not told, or without their numbers.
    std::uint64_t unseen = 0;  ///< Exits told late, without what was used last.
    std::uint64_t denied = 0;  ///< Reads of a process that the kernel refused.
    std::uint64_t malformed = 0;
    std::uint64_t failed = 0;
  };
  [[nodiscard]] virtual Losses losses() const = 0;
  /// What samples from /proc cost between scrapes, and leave out to keep the budget.
  struct Sampling {
    double budget_cores = 0;
    double cpu_seconds = 0;       ///< Of all walks for samples.
    double interval_seconds = 0;  ///< Between the last two.
    std::uint64_t readings = 0;   ///< Of processes, in them.
    std::uint64_t left_out = 0;   ///< Processes that were not read in one of them.
  };
  /// Nothing where samples do not come from /proc.
  [[nodiscard]] virtual std::optional<Sampling> sampling() const { return std::nullopt; }
  /// How it hears of exits: "bpf", "taskstats" or "parents".
  [[nodiscard]] virtual std::string_view exit_source() const = 0;
  [[nodiscard]] virtual bool tells_exits() const = 0;
  /// Whether those for want of memory are told apart; else they are told as ends by a signal.
  [[nodiscard]] virtual bool tells_oom_kills() const { return false; }
};

/// The kernel has only its own processes to show, and --path.procfs may be a copy of another's.
bool is_of_this_kernel(procfs::FileReader& proc);

/// BPF programs in the kernel; see bpf/process_watch.hpp for what they need.
metrics::Result<std::unique_ptr<ProcessSource>> open_bpf_source(const Host& host);
/// /proc, and the kernel's records of exits; see netlink/exit_listener.hpp for what they need.
metrics::Result<std::unique_ptr<ProcessSource>> open_taskstats_source(const Host& host);
/// /proc alone: needs nothing, and hears of no exits but by what the parents were added.
metrics::Result<std::unique_ptr<ProcessSource>> open_proc_source(const Host& host);
/// The walks of /proc for a source that is told of exits.
std::unique_ptr<ProcessSource> make_proc_walker(const Host& host);

struct ProcessSourceSpec {
  std::string_view name;
  metrics::Result<std::unique_ptr<ProcessSource>> (*open)(const Host& host);
};
/// The best first; the last one always works.
inline constexpr std::array kProcessSources = {
    ProcessSourceSpec{"bpf", open_bpf_source},
    ProcessSourceSpec{"taskstats", open_taskstats_source},
    ProcessSourceSpec{"proc", open_proc_source}};

}  // namespace collectors
