// Processes by group: what the groups hold, and what all their processes ever used.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/catalog.hpp"
#include "collectors/process/details.hpp"
#include "collectors/process/families.hpp"
#include "collectors/process/ledger.hpp"
#include "collectors/process/naming.hpp"
#include "collectors/process/proc_walker.hpp"
#include "collectors/process/source.hpp"
#include "collectors/process/top_families.hpp"
#include "collectors/process/user_names.hpp"

namespace collectors {
namespace {

using metrics::Family;
using metrics::Kind;

// The series of a page are at most some 35 times as many.
constexpr std::size_t kMaxGroups = 200;
// Long enough for every scraper that comes once per window to see the last values.
constexpr int kWindowsToKeepEmpty = 2;

constexpr Setting kSource = {
    "source",
    "where processes are seen: bpf, taskstats, proc, or auto, the first of "
    "these that works",
    "auto"};
constexpr std::array kProcessSettings = {
    kSource,         kProcessBudget, kNamingConfig,      kNamingLabels,
    kProcessThreads, kProcessSmaps,  kProcessSmapsBudget};

constexpr Family kExitSource = {
    "host_process_exit_source",
    "How exits are heard of, 1 for the way in use: BPF, taskstats, or the parents' cutime in "
    "/proc/PID/stat."};
constexpr std::array<std::string_view, 3> kExitSources = {"bpf", "taskstats", "parents"};
constexpr Family kUnreadable = {
    "host_process_unreadable_total",
    "Reads of /proc/PID that failed, by reason; the process is then missing from "
    "its group until it can be read.",
    Kind::counter};
constexpr Family kUntold = {
    "host_process_exits_lost_total",
    "Processes gone from /proc whose end was not told: what they used last is in no "
    "group.",
    Kind::counter};
constexpr Family kUnseen = {"host_process_exits_unseen_total",
                            "Processes freed where the kernel lets no BPF program look: counted "
                            "some seconds later, without "
                            "the CPU time of their last tick.",
                            Kind::counter};
constexpr Family kCrowded = {
    "host_process_crowded_out_total",
    "Processes of /proc that came into the group \"other\" for want of a place.", Kind::counter};
constexpr Family kUnattributed = {
    "host_process_unattributed_cpu_seconds_total",
    "CPU time of the host, by /proc/stat, that is in no process group: of processes that were "
    "missed or belong to no group, and of interrupts.",
    Kind::counter};
constexpr Family kStuckLines = {
    "host_process_command_lines_stuck",
    "Reads of /proc/PID/cmdline that the kernel holds up now; at 8 none is read any more."};
constexpr Family kLateLines = {
    "host_process_command_lines_late_total",
    "Processes that got their group without their arguments, as /proc/PID/cmdline could not be "
    "read in time.",
    Kind::counter};
constexpr Family kWalks = {"host_process_walks_total",
                           "Walks over all processes of /proc, for ticks and for pages.",
                           Kind::counter};
constexpr Family kBudget = {"host_process_sampling_budget_cores",
                            "CPU time that samples of /proc/PID may use, as a share of a core: "
                            "--collector.process.budget."};
constexpr Family kSamplingCpu = {"host_process_sampling_cpu_seconds_total",
                                 "CPU time that samples of /proc/PID between scrapes have used.",
                                 Kind::counter};
constexpr Family kSamplingInterval = {
    "host_process_sampling_interval_seconds",
    "Time between the last two samples of /proc/PID, which the budget stretches."};
constexpr Family kSampled = {
    "host_process_sampled_total",
    "Processes that samples came across, by whether /proc/PID was read or left out that time, as "
    "the process had been idle or the budget was used up.",
    Kind::counter};

/// Appends to `notice` which it is, and why the better ones are not.
std::unique_ptr<ProcessSource> open_source(const Host& host, std::string& notice) {
  (void)host.settings.share("process", kProcessBudget);  // refused even where no source needs it
  const auto wanted = host.settings.text("process", kSource);
  std::string refused;
  for (const auto& candidate : kProcessSources) {
    if (wanted != "auto" && wanted != candidate.name) continue;
    auto source = candidate.open(host);
    if (source) {
      if (!refused.empty()) notice.append("processes are seen by ").append(candidate.name);
      notice.append(refused);
      return *std::move(source);
    }
    refused.append(refused.empty() ? ", as " : "; ").append(candidate.name);
    refused.append(" does not work here: ").append(source.error().detail);
    if (wanted != "auto") {
      throw std::invalid_argument("--collector.process.source: " + wanted +
                                  " does not work here: " + source.error().detail);
    }
  }
  throw std::invalid_argument("--collector.process.source: '" + wanted +
                              "' is not auto, bpf, taskstats or proc");
}

Clock::duration keep_empty(const Host& host) {
  return std::chrono::duration_cast<Clock::duration>(kWindowsToKeepEmpty * host.window);
}

std::uint64_t busy_ticks(const procfs::CpuTicks& ticks) {
  return ticks.user + ticks.nice + ticks.system;  // user and nice hold what guests used
}

class Processes final : public Collector {
 public:
  explicit Processes(const Host& host)
      : host_(host),
        source_(open_source(host, notice_)),
        users_(host.root),
        naming_(host, users_),
        top_naming_(host, users_),
        details_(host, keep_empty(host)),
        ledger_(naming_, {.groups = {kMaxGroups, keep_empty(host), naming_.label_names().size()},
                          .window = host.window,
                          .has_exits = source_->tells_exits()}) {}

  void tick(Clock::time_point now) override {
    const auto before = thread_cpu_seconds();
    source_->listen();
    if (source_->is_due(now) && take(WalkFor::sample, now)) {
      ledger_.end_tick(now, ticked_at_ ? now - *ticked_at_ : Clock::duration::zero());
      ticked_at_ = now;
    }
    source_->charge_tick(thread_cpu_seconds() - before, now);
  }

  [[nodiscard]] std::string_view notice() const override { return notice_; }

  metrics::Result<void> refresh(Clock::time_point now) override { return read_page(now); }

  [[nodiscard]] bool is_reloadable() const override { return naming_.has_rules(); }

  metrics::Result<void> reload() override {
    if (auto reloaded = naming_.reload(); !reloaded) return reloaded;
    ledger_.rematch();
    return {};
  }

  void emit(metrics::Sink& sink) const override {
    const GroupFamiliesInput input{.groups = ledger_.groups(),
                                   .label_names = naming_.label_names(),
                                   .ticks_per_second = host_.system.ticks_per_second,
                                   .boot_time_seconds = boot_time_seconds_,
                                   .now = refreshed_at_,
                                   .tells_exits = source_->tells_exits(),
                                   .tells_oom_kills = source_->tells_oom_kills()};
    emit_groups(sink, input);
    details_.emit(sink, input);
    emit_top(sink, top_);
    sink.family(kExitSource);
    for (const auto source : kExitSources) {
      sink.sample({{"source", source}}, source == source_->exit_source() ? 1 : 0);
    }
    const auto losses = source_->losses();
    sink.family(kUnreadable);
    sink.sample({{"reason", "denied"}}, static_cast<double>(losses.denied));
    sink.sample({{"reason", "malformed"}}, static_cast<double>(losses.malformed));
    sink.sample({{"reason", "error"}}, static_cast<double>(losses.failed));
    if (source_->tells_exits()) {
      sink.single(kUntold, static_cast<double>(losses.exits + ledger_.untold_exits()));
      sink.single(kUnseen, static_cast<double>(losses.unseen));
    }
    sink.single(kCrowded, static_cast<double>(ledger_.groups().crowded_out()));
    sink.single(kUnattributed, unattributed_seconds_);
    if (const auto* const lines = naming_.command_lines()) {
      sink.single(kStuckLines, static_cast<double>(lines->stuck()));
      sink.single(kLateLines, static_cast<double>(lines->late()));
    }
    sink.single(kWalks, static_cast<double>(walks_));
    if (const auto sampling = source_->sampling()) emit_sampling(sink, *sampling);
  }

  static void list(metrics::FamilyList& list) {
    list_groups(list);
    ProcessDetails::list(list);
    list_top(list);
    list.add({kExitSource}, "source");
    list.add({kUnreadable}, "reason");
    list.add({kUntold, kUnseen}, {}, "with BPF or taskstats");
    list.add({kCrowded, kUnattributed});
    list.add({kStuckLines, kLateLines}, {}, "with rules that read command lines");
    list.add({kWalks});
    list.add({kBudget, kSamplingCpu, kSamplingInterval}, {}, "without BPF");
    list.add({kSampled}, "reading", "without BPF");
  }

 private:
  static void emit_sampling(metrics::Sink& sink, const ProcessSource::Sampling& sampling) {
    sink.single(kBudget, sampling.budget_cores);
    sink.single(kSamplingCpu, sampling.cpu_seconds);
    sink.single(kSamplingInterval, sampling.interval_seconds);
    sink.family(kSampled);
    sink.sample({{"reading", "read"}}, static_cast<double>(sampling.readings));
    sink.sample({{"reading", "left_out"}}, static_cast<double>(sampling.left_out));
  }

  metrics::Result<void> read_page(Clock::time_point now) {
    const auto& stat = host_.files.stat.at(now);
    if (!stat) return stat.error();
    if (auto taken = take(WalkFor::page, now); !taken) return taken;
    boot_time_seconds_ = static_cast<double>(stat->boot_time_seconds);
    refreshed_at_ = now;
    measure_unattributed(stat->all_cpus);
    const auto top = ledger_.top(kTopProcesses);
    top_ = {top_naming_.describe(top.busiest), top_naming_.describe(top.largest)};
    return {};
  }

  metrics::Result<void> take(WalkFor purpose, Clock::time_point now) {
    auto read = source_->read(purpose, exits_, walk_, now);
    if (!read) return read;
    details_.complete(purpose, walk_, now);
    ledger_.take(exits_, walk_, purpose, now);
    if (purpose == WalkFor::page) details_.account(ledger_, walk_, now);
    ++walks_;
    return {};
  }

  /// The rest since the first page. Ticks are a sample of what the scheduler measures, so the rest
  /// of a short time may be negative: it is shown once it is more than ever.
  void measure_unattributed(const procfs::CpuTicks& all_cpus) {
    const auto host_seconds =
        static_cast<double>(busy_ticks(all_cpus)) / host_.system.ticks_per_second;
    const auto rest =
        host_seconds - static_cast<double>(ledger_.attributed_cpu_ns()) / kNanosecondsPerSecond;
    if (!rest_at_start_) rest_at_start_ = rest;
    unattributed_seconds_ = std::max(unattributed_seconds_, rest - *rest_at_start_);
  }

  Host host_;
  std::string notice_;  // before the source, which adds to it
  std::unique_ptr<ProcessSource> source_;
  UserNames users_;
  ProcessNaming naming_;
  TopNaming top_naming_;
  ProcessDetails details_;
  ProcessLedger ledger_;
  ProcessExits exits_;
  ProcessWalkResult walk_;
  std::uint64_t walks_ = 0;
  std::optional<Clock::time_point> ticked_at_;
  Clock::time_point refreshed_at_;
  double boot_time_seconds_ = 0;
  std::optional<double> rest_at_start_;
  double unattributed_seconds_ = 0;
  TopLists top_;
};

}  // namespace

constinit const CollectorSpec kProcess = {
    "process",
    "Processes by group: CPU, memory, I/O, files, exits, peaks (BPF or /proc).",
    true,
    Reads::memory,
    make_collector<Processes>,
    Processes::list,
    kProcessSettings};

}  // namespace collectors
