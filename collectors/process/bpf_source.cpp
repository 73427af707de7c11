// Processes and exits from BPF programs; from /proc only what they cannot see.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "bpf/process_values.hpp"
#include "bpf/process_watch.hpp"
#include "collectors/process/proc_sample.hpp"
#include "collectors/process/source.hpp"
#include "procfs/process_reader.hpp"

namespace collectors {
namespace {

using metrics::Result;

struct Units {
  std::uint64_t nanoseconds_per_tick = 0;
  std::uint64_t page_bytes = 0;
  bool has_cpu_delay = false;
  bool has_storage_bytes = false;
};

/// Of a ProcessRecord, an ExitRecord or ExitSums.
template <class Record>
ProcessUse use_of(const Record& record, const Units& units) {
  const auto times = bpf::scaled_times(record);
  ProcessUse use;
  use.cpu_ns = record.run_time_ns;
  use.user_ns = times.user_ns;
  use.set(Count::minor_faults, record.minor_faults);
  use.set(Count::major_faults, record.major_faults);
  use.set(Count::voluntary_switches, record.voluntary_switches);
  use.set(Count::involuntary_switches, record.involuntary_switches);
  if (units.has_storage_bytes) {
    use.set(Count::read_bytes, record.read_bytes);
    use.set(Count::write_bytes, record.write_bytes);
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
          .is_kernel_thread = bpf::is_kernel_thread(record)};
}

ProcessSample sample_of(const ProcessRecord& record, const Units& units) {
  ProcessSample sample;
  sample.basics = basics_of(record, units);
  // Sums that were torn may be too high: none are better, as the ledger knows those of before.
  if ((record.flags & PROCESS_SUMS_ARE_TORN) == 0) {
    sample.use = use_of(record, units);
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
  exit.use = use_of(record, units);
  exit.reason = static_cast<ExitReason>(record.reason);
  if (!exit.basics.is_kernel_thread) {
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
  sum.use = use_of(sums, units);
  sum.peak_resident_bytes = sums.peak_resident_pages * units.page_bytes;
  return sum;
}

class BpfSource final : public ProcessSource {
 public:
  BpfSource(const Host& host, bpf::ProcessWatch watch)
      : watch_(std::move(watch)),
        reader_(host.proc),
        proc_units_(host.system),
        compare_every_(std::chrono::duration_cast<Clock::duration>(host.window)),
        units_{.nanoseconds_per_tick =
                   static_cast<std::uint64_t>(kNanosecondsPerSecond / host.system.ticks_per_second),
               .page_bytes = host.system.page_bytes,
               .has_cpu_delay = watch_.has_cpu_delay(),
               .has_storage_bytes = watch_.has_storage_bytes()} {}

  Result<void> read(WalkFor purpose, ProcessExits& exits, ProcessWalkResult& walk,
                    Clock::time_point now) override {
    const auto records =
        watch_.walk(purpose == WalkFor::page ? bpf::Detail::complete : bpf::Detail::counters);
    if (!records) return records.error();
    walk.processes.clear();
    walk.unread.clear();
    walk.processes.reserve(records->size() + hidden_.size());
    for (const auto& record : *records) walk.processes.push_back(sample_of(record, units_));
    if (auto drained = watch_.drain_exits(drained_); !drained) return drained;
    take_exits(exits);
    add_hidden(purpose, walk, now);
    return {};
  }

  [[nodiscard]] Losses losses() const override { return losses_; }
  [[nodiscard]] std::string_view exit_source() const override { return "bpf"; }
  [[nodiscard]] bool tells_exits() const override { return true; }

 private:
  void take_exits(ProcessExits& exits) {
    exits.exits.clear();
    exits.sums.clear();
    for (const auto& record : drained_.records) exits.exits.push_back(exit_of(record, units_));
    for (const auto& [key, sums] : drained_.summed) exits.sums.push_back(sum_of(key, sums, units_));
    for (const auto count : drained_.nameless.exits) losses_.exits += count;
  }

  /// What a security module hides from the programs is read from /proc. Finding out costs more than
  /// the walk, so it is done once in a window.
  void add_hidden(WalkFor purpose, ProcessWalkResult& walk, Clock::time_point now) {
    const bool is_first = !compared_at_;
    if (is_first || (purpose == WalkFor::page && now - *compared_at_ >= compare_every_)) {
      compared_at_ = now;
      find_hidden(walk);
    }
    for (const auto pid : hidden_) {
      if (purpose == WalkFor::sample && !is_first) {
        walk.unread.push_back(pid);
        continue;
      }
      const auto process = reader_.read(pid);
      if (process) {
        walk.processes.push_back(proc_sample(*process, proc_units_));
      } else if (process.error().code != metrics::Errc::gone) {
        walk.unread.push_back(pid);
      }
    }
  }

  void find_hidden(const ProcessWalkResult& walk) {
    hidden_.clear();
    if (!reader_.list(listed_)) return;
    seen_.clear();
    for (const auto& sample : walk.processes) seen_.push_back(sample.basics.identity.pid);
    std::ranges::sort(seen_);
    std::ranges::set_difference(listed_, seen_, std::back_inserter(hidden_));
  }

  bpf::ProcessWatch watch_;
  procfs::ProcessReader reader_;
  ProcUnits proc_units_;
  Clock::duration compare_every_;
  Units units_;
  bpf::Exits drained_;
  Losses losses_;
  std::optional<Clock::time_point> compared_at_;
  std::vector<std::int32_t> hidden_;  // by pid, as are the other two
  std::vector<std::int32_t> listed_;
  std::vector<std::int32_t> seen_;
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
