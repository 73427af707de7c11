// Processes from /proc, and exits from the records that the kernel sends of every thread that ends.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "collectors/process/source.hpp"
#include "netlink/exit_listener.hpp"
#include "netlink/process_exits.hpp"

namespace collectors {
namespace {

using metrics::Result;

constexpr const char* kPossibleCpus = "devices/system/cpu/possible";
// Holds the records of some 100,000 threads; nothing is set aside beforehand.
constexpr std::size_t kReceiveBufferBytes = 64U << 20U;
// Exits that wait for a walk: of so many it comes at once, whatever the budget, and while walks
// fail the others stay in the kernel's queue.
constexpr std::size_t kMostEnded = 20'000;
// By how much the wall clock may be read differently here and in the kernel.
constexpr double kClockSlackSeconds = 0.05;

ExitReason reason_of(std::uint32_t wait_status) {
  if ((wait_status & 0x7FU) != 0) return ExitReason::signal;  // WTERMSIG; an OOM kill is one too
  return wait_status == 0 ? ExitReason::normal : ExitReason::error;
}

ProcessUse use_of(const netlink::ProcessExit& ended) {
  ProcessUse use;
  use.cpu_ns = ended.cpu_nanoseconds;
  const auto ticks_us = ended.user_microseconds + ended.system_microseconds;
  if (ticks_us > 0) {
    use.user_ns = static_cast<std::uint64_t>(static_cast<double>(use.cpu_ns) *
                                             static_cast<double>(ended.user_microseconds) /
                                             static_cast<double>(ticks_us));
  }
  use.set(Count::minor_faults, ended.minor_faults);
  use.set(Count::major_faults, ended.major_faults);
  use.set(Count::read_bytes, ended.read_bytes);
  use.set(Count::write_bytes, ended.write_bytes);
  return use;
}

class TaskstatsSource final : public ProcessSource {
 public:
  TaskstatsSource(const Host& host, netlink::ExitListener listener,
                  std::unique_ptr<ProcessSource> walker)
      : host_(host), listener_(std::move(listener)), walker_(std::move(walker)) {}

  Result<void> read(WalkFor purpose, ProcessExits& exits, ProcessWalkResult& walk,
                    Clock::time_point now) override {
    // Exits first: what was told and is a zombie still is then in this walk, too.
    if (auto drained = drain(); !drained) return drained;
    if (const auto dropped = listener_.dropped()) dropped_ = *dropped;
    if (auto walked = walker_->read(purpose, exits, walk, now); !walked) return walked;
    const auto& stat = host_.files.stat.at(now);
    if (!stat) return stat.error();
    boot_seconds_ = static_cast<double>(stat->boot_time_seconds);
    auto starts = std::move(starts_);
    starts_.clear();
    for (const auto& sample : walk.processes) {
      starts_[sample.basics.identity.pid] = sample.basics.identity.start_ticks;
    }
    for (const auto& ended : ended_) add(ended, starts, exits);
    ended_.clear();
    return {};
  }

  void listen() override {
    static_cast<void>(drain());  // What lasts of a failure is met by the next walk, too.
  }

  void charge_tick(double cpu_seconds, Clock::time_point now) override {
    walker_->charge_tick(cpu_seconds, now);
  }

  [[nodiscard]] bool is_due(Clock::time_point now) const override {
    return ended_.size() >= kMostEnded || walker_->is_due(now);
  }
  [[nodiscard]] Losses losses() const override {
    auto losses = walker_->losses();
    losses.exits += dropped_ + malformed_ + threads_.unplaced();
    return losses;
  }
  [[nodiscard]] std::optional<Sampling> sampling() const override { return walker_->sampling(); }
  [[nodiscard]] std::string_view exit_source() const override { return "taskstats"; }
  [[nodiscard]] bool tells_exits() const override { return true; }

 private:
  Result<void> drain() {
    if (ended_.size() >= kMostEnded) return {};
    const auto drained = listener_.drain([this](const netlink::TaskExit& thread) {
      if (auto ended = threads_.add(thread)) ended_.push_back(*std::move(ended));
    });
    if (!drained) return drained.error();
    malformed_ += drained->malformed;
    return {};
  }

  using Starts = std::unordered_map<std::int32_t, std::uint64_t>;

  void add(const netlink::ProcessExit& ended, const Starts& before, ProcessExits& exits) const {
    ProcessBasics basics;
    basics.comm = comm_of(ended.comm);
    basics.parent_pid = ended.parent_pid;
    basics.user_id = ended.uid;
    if (!ended.is_end) {  // a thread that was late: its process has been told
      ExitSum sum;
      sum.comm = basics.comm;
      sum.user_id = ended.uid;
      sum.use = use_of(ended);
      exits.sums.push_back(sum);
      return;
    }
    basics.identity = {ended.pid, start_of(ended, before)};
    exits.exits.push_back(
        {basics, use_of(ended), ended.peak_resident_bytes, reason_of(ended.wait_status)});
  }

  /// The record tells the start to a second only: exact is that of a walk which saw the process.
  std::uint64_t start_of(const netlink::ProcessExit& ended, const Starts& before) const {
    for (const auto* starts : {&before, &starts_}) {
      const auto found = starts->find(ended.pid);
      if (found == starts->end()) continue;
      const auto seconds =
          boot_seconds_ + static_cast<double>(found->second) / host_.system.ticks_per_second;
      if (seconds >= ended.start.earliest_seconds - kClockSlackSeconds - 1 &&
          seconds <= ended.start.latest_seconds + kClockSlackSeconds + 1) {
        return found->second;  // btime is cut to a second
      }
    }
    return static_cast<std::uint64_t>(std::max(0.0, ended.start.earliest_seconds - boot_seconds_) *
                                      host_.system.ticks_per_second);
  }

  Host host_;
  netlink::ExitListener listener_;
  std::unique_ptr<ProcessSource> walker_;
  netlink::ProcessExits threads_;
  std::vector<netlink::ProcessExit> ended_;
  Starts starts_;  // of the last walk, by pid
  double boot_seconds_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t malformed_ = 0;
};

}  // namespace

Result<std::unique_ptr<ProcessSource>> open_taskstats_source(const Host& host) {
  if (!is_of_this_kernel(host.proc)) {
    return metrics::Error{metrics::Errc::unsupported, "--path.procfs is not of this kernel"};
  }
  const auto cpus = host.sys.read(kPossibleCpus);
  if (!cpus) return cpus.error();
  auto listener = netlink::ExitListener::open(*cpus, kReceiveBufferBytes);
  if (!listener) return listener.error();
  return std::unique_ptr<ProcessSource>(
      std::make_unique<TaskstatsSource>(host, *std::move(listener), make_proc_walker(host)));
}

}  // namespace collectors
