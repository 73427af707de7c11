// Processes from /proc, and of those that ended what their parents were added.
#include <algorithm>
#include <chrono>
#include <ctime>
#include <iterator>
#include <memory>
#include <vector>

#include "collectors/process/proc_sample.hpp"
#include "collectors/process/source.hpp"
#include "procfs/process_reader.hpp"

namespace collectors {
namespace {

using metrics::Result;

/// Where children that ended are counted.
enum class Children : std::uint8_t {
  told,        ///< By who is told of exits.
  of_parents,  ///< Here, from what their parents were added.
};

class ProcSource final : public ProcessSource {
 public:
  ProcSource(const Host& host, Children children)
      : has_children_(children == Children::of_parents),
        reader_(host.proc),
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
    if (has_children_) find_children();
    walk.processes.clear();
    for (const auto& process : walk_.processes) {
      auto& sample = walk.processes.emplace_back(proc_sample(process, units_));
      if (has_children_) add_children(sample, children_.of(process.stat.pid), units_);
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
  void find_children() {
    listed_.clear();
    for (const auto& process : walk_.processes) listed_.push_back(process.stat.pid);
    std::ranges::merge(std::exchange(listed_, {}), walk_.unread, std::back_inserter(listed_));
    children_.keep(listed_);
    for (const auto& process : walk_.processes) children_.see(family_reading(process));
    if (children_.must_list_again() && reader_.list(listed_)) children_.keep(listed_);
    children_.settle();
  }

  bool has_children_;
  procfs::ProcessReader reader_;
  ProcUnits units_;
  double budget_;  // of a core
  Clock::time_point due_at_;
  procfs::ProcessWalk walk_;
  ReapedChildren children_;
  std::vector<std::int32_t> listed_;
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
  return std::unique_ptr<ProcessSource>(std::make_unique<ProcSource>(host, Children::of_parents));
}

std::unique_ptr<ProcessSource> make_proc_walker(const Host& host) {
  return std::make_unique<ProcSource>(host, Children::told);
}

}  // namespace collectors
