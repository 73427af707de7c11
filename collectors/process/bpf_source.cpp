// Processes and exits from BPF programs; from /proc only what they cannot see.
#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "bpf/process_values.hpp"
#include "bpf/process_watch.hpp"
#include "collectors/process/hidden_processes.hpp"
#include "collectors/process/source.hpp"

namespace collectors {
namespace {

using metrics::Result;

struct Units {
  std::uint64_t nanoseconds_per_tick = 0;
  std::uint64_t page_bytes = 0;
  bool has_cpu_delay = false;
  bool has_storage_bytes = false;
};

ProcessUse use_of(const ProcessCounters& counters, const Units& units) {
  const auto times = bpf::scaled_times(counters);
  ProcessUse use;
  use.cpu_ns = counters.run_time_ns;
  use.user_ns = times.user_ns;
  use.set(Count::minor_faults, counters.minor_faults);
  use.set(Count::major_faults, counters.major_faults);
  use.set(Count::voluntary_switches, counters.voluntary_switches);
  use.set(Count::involuntary_switches, counters.involuntary_switches);
  if (units.has_storage_bytes) {
    use.set(Count::read_bytes, counters.read_bytes);
    use.set(Count::write_bytes, counters.write_bytes);
  }
  return use;
}

/// Of a ProcessRecord or an ExitRecord.
template <class Record>
ProcessBasics basics_of(const Record& record, const Units& units) {
  return {.identity = {static_cast<std::int32_t>(record.pid),
                       record.start_boottime_ns / units.nanoseconds_per_tick},
          .comm = comm_of(bpf::name_of(record)),
          .parent_pid = static_cast<std::int32_t>(record.parent_pid),
          .user_id = record.user_id,
          .cgroup_id = record.cgroup_id,
          .execs = record.execs,
          .is_kernel_thread = bpf::is_kernel_thread(record)};
}

ProcessSample sample_of(const ProcessRecord& record, const Units& units) {
  ProcessSample sample;
  sample.basics = basics_of(record, units);
  // Sums that were torn may be too high: none are better, as the ledger knows those of before.
  if ((record.flags & PROCESS_SUMS_ARE_TORN) == 0) {
    sample.use = use_of(record.counters, units);
    if (units.has_cpu_delay) sample.use.set(Count::cpu_delay_ns, record.cpu_delay_ns);
  }
  sample.state = bpf::state_letter(record);
  sample.threads = record.threads;
  if ((record.flags & PROCESS_HAS_MEMORY) != 0) {
    const auto resident_pages =
        record.resident_file_pages + record.resident_anonymous_pages + record.resident_shared_pages;
    sample.memory = ProcessMemory{
        resident_pages * units.page_bytes, record.virtual_pages * units.page_bytes,
        record.swap_pages * units.page_bytes, record.peak_resident_pages * units.page_bytes};
  }
  if ((record.flags & PROCESS_HAS_FILES) != 0) {
    sample.open_files = record.open_files;
    sample.open_files_limit = record.open_files_soft_limit;
  }
  return sample;
}

ProcessExit exit_of(const ExitRecord& record, const Units& units) {
  ProcessExit exit;
  exit.basics = basics_of(record, units);
  exit.use = use_of(record.counters, units);
  exit.reason = static_cast<ExitReason>(record.reason);
  // A maximum of rusage may be another program's, from before exec or even fork.
  if (!exit.basics.is_kernel_thread && (record.flags & EXIT_PEAK_IS_EXACT) != 0) {
    exit.peak_resident_bytes = record.peak_resident_pages * units.page_bytes;
  }
  return exit;
}

ExitSum sum_of(const ExitKey& key, const ::ExitSums& sums, const Units& units) {
  ExitSum sum;
  sum.comm = comm_of(bpf::name_of(key));
  sum.user_id = key.user_id;
  sum.cgroup_id = key.cgroup_id;
  std::copy(std::begin(sums.exits), std::end(sums.exits), sum.exits.begin());
  sum.use = use_of(sums.counters, units);
  if (sums.peak_resident_pages != 0) {
    sum.peak_resident_bytes = sums.peak_resident_pages * units.page_bytes;
  }
  return sum;
}

/// Nothing where there is none.
std::optional<ExitSum> nameless_sum_of(const ::ExitSums& sums, const Units& units) {
  const bool has_exits = std::ranges::any_of(sums.exits, [](auto count) { return count > 0; });
  if (!has_exits && sums.counters.run_time_ns == 0) return std::nullopt;
  auto sum = sum_of({}, sums, units);
  sum.is_nameless = true;
  sum.user_id.reset();
  sum.peak_resident_bytes.reset();  // of all that ever came there
  return sum;
}

class BpfSource final : public ProcessSource {
 public:
  BpfSource(const Host& host, bpf::ProcessWatch watch)
      : watch_(std::move(watch)),
        hidden_(host.proc, ProcUnits(host.system)),
        compare_every_(std::chrono::duration_cast<Clock::duration>(host.window)),
        units_{.nanoseconds_per_tick =
                   static_cast<std::uint64_t>(kNanosecondsPerSecond / host.system.ticks_per_second),
               .page_bytes = host.system.page_bytes,
               .has_cpu_delay = watch_.has_cpu_delay(),
               .has_storage_bytes = watch_.has_storage_bytes()} {}

  Result<void> read(WalkFor purpose, ProcessExits& exits, ProcessWalkResult& walk,
                    Clock::time_point now) override {
    // Of a walk that fails half-way nobody was told, so that the next has nothing to build upon.
    const auto told = std::exchange(told_, 0);
    const auto records =
        watch_.walk(purpose == WalkFor::page ? bpf::Detail::complete : bpf::Detail::counters);
    if (!records) return records.error();
    take_records(*records, told, walk.processes);
    walk.unread.clear();
    losses_.failed += watch_.left_out();
    // What failed comes later; what was drained before that would be lost.
    if (!watch_.drain_exits(drained_, now)) ++losses_.failed;
    losses_.unseen = watch_.last_sights();
    take_exits(exits);
    const bool is_page = purpose == WalkFor::page;
    if (!compared_at_ || (is_page && now - *compared_at_ >= compare_every_)) {
      compared_at_ = now;
      find_hidden(walk);
    }
    hidden_.add_to(walk, is_page);
    told_ = records->size();
    return {};
  }

  [[nodiscard]] Losses losses() const override { return losses_; }
  [[nodiscard]] std::string_view exit_source() const override { return "bpf"; }
  [[nodiscard]] bool tells_exits() const override { return true; }
  [[nodiscard]] bool tells_oom_kills() const override { return true; }

 private:
  /// The first `told` samples are those of the records of the walk before, each in its place.
  void take_records(std::span<const ProcessRecord> records, std::size_t told,
                    std::vector<ProcessSample>& samples) const {
    samples.resize(records.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
      const auto& record = records[i];
      const bool is_told =
          i < told && samples[i].basics.identity.pid == static_cast<std::int32_t>(record.pid);
      samples[i].is_unchanged = is_told && (record.flags & PROCESS_IS_UNCHANGED) != 0;
      if (!samples[i].is_unchanged) samples[i] = sample_of(record, units_);
    }
  }

  void take_exits(ProcessExits& exits) {
    exits.exits.clear();
    exits.sums.clear();
    for (const auto& record : drained_.records) exits.exits.push_back(exit_of(record, units_));
    for (const auto& [key, sums] : drained_.summed) exits.sums.push_back(sum_of(key, sums, units_));
    if (auto nameless = nameless_sum_of(drained_.nameless, units_)) {
      exits.sums.push_back(*nameless);
    }
  }

  /// Once in a window.
  void find_hidden(const ProcessWalkResult& walk) {
    std::vector<std::int32_t> seen;
    for (const auto& sample : walk.processes) seen.push_back(sample.basics.identity.pid);
    hidden_.find(std::move(seen), [this](std::vector<std::int32_t>& pids) {
      const auto records = watch_.walk(bpf::Detail::counters);
      if (!records) return;
      for (const auto& record : *records) pids.push_back(static_cast<std::int32_t>(record.pid));
    });
  }

  bpf::ProcessWatch watch_;
  HiddenProcesses hidden_;
  Clock::duration compare_every_;
  Units units_;
  bpf::Exits drained_;
  std::size_t told_ = 0;  // of the samples of the last walk: those that come from BPF
  Losses losses_;
  std::optional<Clock::time_point> compared_at_;
};

}  // namespace

Result<std::unique_ptr<ProcessSource>> open_bpf_source(const Host& host) {
  if (!is_of_this_kernel(host.proc)) {
    return metrics::Error{metrics::Errc::unsupported, "--path.procfs is not of this kernel"};
  }
  auto watch = bpf::ProcessWatch::open({});
  if (!watch) return watch.error();
  return std::unique_ptr<ProcessSource>(std::make_unique<BpfSource>(host, *std::move(watch)));
}

}  // namespace collectors
