// Processes from /proc alone. Each scrape is one walk, so that what a process used between the last
// walk and its end is not counted.
#include <chrono>
#include <ctime>
#include <memory>

#include "collectors/process/proc_sample.hpp"
#include "collectors/process/source.hpp"
#include "procfs/process_reader.hpp"

namespace collectors {
namespace {

using metrics::Result;

class ProcSource final : public ProcessSource {
 public:
  explicit ProcSource(const Host& host)
      : reader_(host.proc),
        units_(host.system),
        budget_(static_cast<double>(host.settings.number("process", kProcessBudget, 1, 1'000'000)) /
                1e6) {}

  Result<void> read(WalkFor /*purpose*/, ProcessExits& exits, ProcessWalkResult& walk,
                    Clock::time_point now) override {
    exits = {};
    const auto before = std::clock();
    auto walked = reader_.walk(walk_);
    const std::chrono::duration<double> cost(static_cast<double>(std::clock() - before) /
                                             CLOCKS_PER_SEC);
    due_at_ = now + std::chrono::duration_cast<Clock::duration>(cost / budget_);
    if (!walked) return walked;
    walk.processes.clear();
    for (const auto& process : walk_.processes) {
      walk.processes.push_back(proc_sample(process, units_));
    }
    walk.unread = walk_.unread;
    losses_.denied += walk_.denied;
    losses_.malformed += walk_.malformed;
    losses_.failed += walk_.failed + walk_.beyond_limit;
    return {};
  }

  [[nodiscard]] bool is_due(Clock::time_point now) const override { return now >= due_at_; }
  [[nodiscard]] Losses losses() const override { return losses_; }
  [[nodiscard]] std::string_view exit_source() const override { return "parents"; }
  [[nodiscard]] bool tells_exits() const override { return false; }

 private:
  procfs::ProcessReader reader_;
  ProcUnits units_;
  double budget_;  // of a core
  Clock::time_point due_at_;
  procfs::ProcessWalk walk_;
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
  return std::unique_ptr<ProcessSource>(std::make_unique<ProcSource>(host));
}

}  // namespace collectors
