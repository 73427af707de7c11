#include "bpf/process_watch.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <linux/capability.h>
#include <malloc.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <optional>
#include <string>
#include <system_error>

#include "bpf/exit_ring.hpp"
#include "bpf/exit_sums.hpp"
#include "bpf/libbpf_log.hpp"
#include "bpf/mapping.hpp"
#include "bpf/process_table.hpp"
#include "bpf/process_watch.skel.h"

namespace bpf {
namespace {

using metrics::Errc;
using metrics::Error;
using metrics::Result;
using Clock = ProcessWatch::Clock;

struct Destroy {
  void operator()(process_watch_programs* programs) const {
    process_watch_programs::destroy(programs);
  }
};
using Programs = std::unique_ptr<process_watch_programs, Destroy>;

/// `error_number`: as libbpf returned it, positive.
Error failure(const char* what, int error_number, const LibbpfLog& log) {
  auto code = Errc::unsupported;
  if (error_number == EPERM) code = Errc::denied;
  if (error_number == ENOMEM || error_number == EMFILE || error_number == ENFILE) code = Errc::io;
  auto detail = std::string(what) + ": " + std::generic_category().message(error_number);
  if (const auto cause = log.cause(); !cause.empty()) detail += " (" + cause + ")";
  return {code, std::move(detail)};
}

/// Asked first: libbpf's words for it, and the verifier's without CAP_PERFMON, are hard to read.
bool has_capabilities() {
  const auto mask = [](unsigned capability) { return std::uint64_t{1} << capability; };
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0) return true;  // The kernel will tell.
  const auto effective = std::uint64_t{data[1].effective} << 32U | data[0].effective;
  constexpr unsigned kPerfmon = 38;  // CAP_PERFMON and CAP_BPF, since 5.8.
  constexpr unsigned kBpf = 39;
  const auto needed = mask(kPerfmon) | mask(kBpf);
  return (effective & mask(CAP_SYS_ADMIN)) != 0 || (effective & needed) == needed;
}

/// The programs see the host's pids, and nothing tells which of ours they are.
bool has_own_pid_namespace() {
  constexpr ino_t kInitial = 0xEFFFFFFC;  // The kernel's PROC_PID_INIT_INO.
  struct stat status {};
  return ::stat("/proc/self/ns/pid", &status) == 0 && status.st_ino != kInitial;
}

std::uint32_t count_processes() {
  std::uint32_t count = 0;
  DIR* const directory = ::opendir("/proc");
  if (directory == nullptr) return 0;
  while (const dirent* const entry = ::readdir(directory)) {  // NOLINT(concurrency-mt-unsafe): ours
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') ++count;
  }
  ::closedir(directory);
  return count;
}

ProcessWatch::Options complete(ProcessWatch::Options options) {
  constexpr std::uint32_t kLeastRecords = 8192;
  constexpr std::uint32_t kMostRingBytes = 1U << 30U;
  const auto page = static_cast<std::uint32_t>(page_bytes());
  options.ring_bytes = std::bit_ceil(std::clamp(options.ring_bytes, page, kMostRingBytes));
  if (options.table_records == 0) {
    options.table_records = std::max(kLeastRecords, 2 * count_processes());
  }
  options.sum_keys = std::max(options.sum_keys, 1U);
  return options;
}

}  // namespace

class ProcessWatch::Implementation {
 public:
  /// Of `options` that are complete. The order of the steps is that of their needs.
  Result<void> open(const Options& options) {
    const LibbpfLog log;
    programs_.reset(process_watch_programs::open());
    if (!programs_) return failure("BPF object", errno, log);
    const auto& maps = programs_->maps;
    bpf_map__set_max_entries(maps.exit_ring, options.ring_bytes);
    bpf_map__set_max_entries(maps.process_table, options.table_records);
    bpf_map__set_max_entries(maps.exit_sums_0, options.sum_keys);
    bpf_map__set_max_entries(maps.exit_sums_1, options.sum_keys);
    programs_->bss->file_words_per_walk = options.open_file_places / 64;
    programs_->bss->patience_ns =
        static_cast<std::uint64_t>(std::chrono::nanoseconds(options.patience).count());
    if (const int error = process_watch_programs::load(programs_.get()); error != 0) {
      return failure("loading BPF programs", -error, log);
    }
    if (auto learnt = learn(log); !learnt) return learnt;
    if (const int error = process_watch_programs::attach(programs_.get()); error != 0) {
      return failure("attaching BPF programs", -error, log);
    }
    return open_maps(options);
  }

  Result<std::span<const ProcessRecord>> walk(Detail detail) { return table_->walk(detail); }

  [[nodiscard]] std::size_t left_out() const { return table_->left_out(); }

  Result<void> drain(Exits& exits, Clock::time_point now) {
    exits.records.clear();
    ring_->drain(exits.records);
    auto drained = sums_->drain(exits.summed, exits.nameless);
    if (now - told_missed_at_ < options_.patience / 2) return drained;
    told_missed_at_ = now;
    auto told = tell_missed();  // Into an empty ring, for the next drain.
    return drained ? told : drained;
  }

  [[nodiscard]] const process_watch_programs::process_watch_programs__bss& globals() const {
    return *programs_->bss;
  }

 private:
  Result<void> tell_missed() {
    LIBBPF_OPTS(bpf_test_run_opts, run);
    const int program = bpf_program__fd(programs_->progs.tell_missed_exits);
    const int error = bpf_prog_test_run_opts(program, &run);
    if (error == 0 && run.retval == 0) return {};
    const auto why = error == 0 ? "it failed" : std::generic_category().message(-error);
    return Error{Errc::io, "running a BPF program: " + why};
  }

  Result<void> learn(const LibbpfLog& log) {
    LIBBPF_OPTS(bpf_test_run_opts, run);
    const int program = bpf_program__fd(programs_->progs.learn_kernel);
    if (const int error = bpf_prog_test_run_opts(program, &run); error != 0) {
      return failure("running a BPF program", -error, log);
    }
    // With a hole in the numbers of the CPUs, or too many, memory stays approximate.
    const int possible = libbpf_num_possible_cpus();
    const auto learnt = static_cast<int>(run.retval);
    if (possible > 0 && learnt == possible) programs_->bss->cpu_count = run.retval;
    return {};
  }

  Result<void> open_maps(const Options& options) {
    const auto& maps = programs_->maps;
    auto ring = ExitRing::open(bpf_map__fd(maps.exit_ring), options.ring_bytes);
    if (!ring) return ring.error();
    ring_.emplace(*std::move(ring));
    options_ = options;
    auto& bss = *programs_->bss;
    sums_.emplace(
        ExitSumsReader::Maps{{bpf_map__fd(maps.exit_sums_0), bpf_map__fd(maps.exit_sums_1)},
                             &bss.active_sums,
                             &bss.inside_sums[0],
                             &bss.used_sums[0],
                             &bss.nameless_sums},
        options.sum_keys);
    const auto& programs = programs_->progs;
    table_.emplace(ProcessTable::Descriptors{bpf_program__fd(programs.walk_counters),
                                             bpf_program__fd(programs.walk_complete),
                                             bpf_map__fd(maps.process_table)},
                   options.table_records, options.max_processes);
    return {};
  }

  Options options_;
  Clock::time_point told_missed_at_;
  Programs programs_;
  std::optional<ExitRing> ring_;
  std::optional<ExitSumsReader> sums_;
  std::optional<ProcessTable> table_;
};

Result<ProcessWatch> ProcessWatch::open(const Options& options) {
  if (!has_capabilities()) {
    return Error{Errc::denied, "BPF needs the capabilities CAP_BPF and CAP_PERFMON"};
  }
  if (has_own_pid_namespace()) {
    return Error{Errc::unsupported, "BPF shows the pids of the host, which are not those here"};
  }
  auto implementation = std::make_unique<Implementation>();
  auto opened = implementation->open(complete(options));
  // libbpf has parsed the kernel's types: megabytes, which are free by now.
  ::malloc_trim(0);
  if (!opened) return opened.error();
  return ProcessWatch(std::move(implementation));
}

ProcessWatch::ProcessWatch(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
ProcessWatch::ProcessWatch(ProcessWatch&&) noexcept = default;
ProcessWatch& ProcessWatch::operator=(ProcessWatch&&) noexcept = default;
ProcessWatch::~ProcessWatch() = default;

Result<std::span<const ProcessRecord>> ProcessWatch::walk(Detail detail) {
  return implementation_->walk(detail);
}

Result<void> ProcessWatch::drain_exits(Exits& exits, Clock::time_point now) {
  return implementation_->drain(exits, now);
}

std::uint64_t ProcessWatch::last_sights() const {
  return implementation_->globals().told_last_sights;
}

std::size_t ProcessWatch::left_out() const { return implementation_->left_out(); }

bool ProcessWatch::has_cpu_delay() const { return implementation_->globals().has_cpu_delay != 0; }

bool ProcessWatch::has_storage_bytes() const {
  return implementation_->globals().has_storage_bytes != 0;
}

}  // namespace bpf
