// Processes from /proc, sampled within a budget, and of those that ended what their parents tell.
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "collectors/process/proc_walker.hpp"
#include "collectors/process/sampling_pace.hpp"
#include "collectors/process/source.hpp"

namespace collectors {
namespace {

using metrics::Result;

class ProcSource final : public ProcessSource {
 public:
  ProcSource(const Host& host, ProcWalker::Children children)
      : walker_(host, children),
        pace_(host.settings.share("process", kProcessBudget)),
        sampling_{.budget_cores = host.settings.share("process", kProcessBudget)} {}

  Result<void> read(WalkFor purpose, ProcessExits& exits, ProcessWalkResult& walk,
                    Clock::time_point now) override {
    exits = {};
    const bool is_page = purpose == WalkFor::page;
    const auto before = thread_cpu_seconds();
    auto walked = walker_.walk(
        purpose, is_page ? std::numeric_limits<std::size_t>::max() : pace_.affordable(now));
    walker_.hand_on(walk);
    // A page is what the budget is not for, and the first walk has to read all.
    const auto seconds = thread_cpu_seconds() - before;
    if (has_walked_ && !is_page) account(seconds, now);
    if (!is_page) {
      sampled_at_ = now;
      walk_seconds_ = seconds;
    }
    has_walked_ = true;
    const auto& counts = walker_.counts();
    losses_.denied += counts.denied;
    losses_.malformed += counts.malformed;
    losses_.failed += counts.failed;
    return walked;
  }

  void charge_tick(double cpu_seconds, Clock::time_point now) override {
    const auto rest = cpu_seconds - std::exchange(walk_seconds_, 0);
    if (!sampled_at_ || rest <= 0) return;
    pace_.charge(now, rest);
    sampling_.cpu_seconds += rest;
  }

  [[nodiscard]] bool is_due(Clock::time_point now) const override {
    return pace_.is_due(now, walker_.due());
  }
  [[nodiscard]] Losses losses() const override { return losses_; }
  [[nodiscard]] std::optional<Sampling> sampling() const override { return sampling_; }
  [[nodiscard]] std::string_view exit_source() const override { return "parents"; }
  [[nodiscard]] bool tells_exits() const override { return false; }

 private:
  void account(double cpu_seconds, Clock::time_point now) {
    const auto& counts = walker_.counts();
    pace_.spend(now, {cpu_seconds, counts.reading_seconds, counts.readings});
    sampling_.cpu_seconds += cpu_seconds;
    sampling_.readings += counts.readings;
    sampling_.left_out += counts.left_out;
    if (!sampled_at_) return;
    sampling_.interval_seconds = std::chrono::duration<double>(now - *sampled_at_).count();
  }

  ProcWalker walker_;
  SamplingPace pace_;
  bool has_walked_ = false;
  double walk_seconds_ = 0;  // of this tick
  std::optional<Clock::time_point> sampled_at_;
  Sampling sampling_;
  Losses losses_;
};

}  // namespace

bool is_of_this_kernel(procfs::FileReader& proc) {
  constexpr const char* kBootId = "sys/kernel/random/boot_id";
  auto own = procfs::FileReader::open("/proc");
  if (!own) return false;
  const auto expected = own->read(kBootId);
  const auto found = proc.read(kBootId);
  return expected && found && *expected == *found;
}

Result<std::unique_ptr<ProcessSource>> open_proc_source(const Host& host) {
  return std::unique_ptr<ProcessSource>(
      std::make_unique<ProcSource>(host, ProcWalker::Children::of_parents));
}

std::unique_ptr<ProcessSource> make_proc_walker(const Host& host) {
  return std::make_unique<ProcSource>(host, ProcWalker::Children::told);
}

}  // namespace collectors
