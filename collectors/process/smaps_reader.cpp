#include "collectors/process/smaps_reader.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "procfs/process_reader.hpp"

namespace collectors {

struct SmapsReader::Shared {
  Shared(procfs::FileReader reader, CpuClock clock)
      : proc(std::move(reader)), cpu_clock(std::move(clock)) {}

  struct Question {
    ProcessIdentity identity;
    std::uint64_t last_page = 0;  // that has an answer
    std::uint64_t resident_bytes = 0;
  };
  struct Answer {
    ProcessIdentity identity;
    std::uint64_t page = 0;  // that asked
    bool is_readable = true;
    std::optional<ProportionalMemory> memory;
  };

  procfs::FileReader proc;  // the thread's own
  CpuClock cpu_clock;
  std::mutex mutex;
  std::condition_variable changed;
  bool is_stopping = false;
  bool is_reading = false;
  std::chrono::nanoseconds cpu_left{};
  std::deque<Question> wanted;
  std::uint64_t page = 0;  // that wants them
  std::vector<Answer> answers;

  [[nodiscard]] bool is_idle() const { return wanted.empty() && !is_reading; }

  static Answer answer(procfs::ProcessReader& reader, const ProcessIdentity& identity,
                       std::uint64_t page) {
    Answer answer{identity, page, true, {}};
    const auto rollup = reader.read_smaps_rollup(identity.pid);
    if (!rollup) {
      const auto code = rollup.error().code;
      const bool has_none = code == metrics::Errc::gone || code == metrics::Errc::unsupported;
      answer.is_readable = has_none;
      return answer;
    }
    // The pid may have come to another process: its start tells.
    const auto stat = reader.read_stat(identity.pid);
    if (stat && stat->start_time_ticks == identity.start_ticks) {
      answer.memory = {rollup->proportional_bytes, rollup->proportional_swapped_bytes};
    }
    return answer;
  }

  void run() {
    procfs::ProcessReader reader(proc);
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return is_stopping || !wanted.empty(); });
      if (is_stopping) return;
      const auto identity = wanted.front().identity;
      wanted.pop_front();
      is_reading = true;
      const auto wanting = page;
      lock.unlock();
      const auto begin = cpu_clock();
      const auto found = answer(reader, identity, wanting);
      const auto cost = cpu_clock() - begin;
      lock.lock();
      is_reading = false;
      answers.push_back(found);
      cpu_left -= cost;
      if (cpu_left.count() <= 0) wanted.clear();
      if (wanted.empty()) changed.notify_all();
    }
  }
};

SmapsReader::SmapsReader(const procfs::FileReader& proc, Limits limits, CpuClock cpu_clock)
    : limits_(limits) {
  auto reader = proc.duplicate();
  if (!reader) throw std::runtime_error("/proc: " + reader.error().detail);
  shared_ = std::make_shared<Shared>(*std::move(reader), std::move(cpu_clock));
}

SmapsReader::~SmapsReader() {
  const std::lock_guard lock(shared_->mutex);
  shared_->is_stopping = true;
  shared_->changed.notify_all();
}

void SmapsReader::complete(ProcessWalkResult& walk) {
  ++page_;
  ask(walk);
  take_answers();
  for (auto& process : walk.processes) {
    const auto found = known_.find(process.basics.identity.pid);
    if (!process.memory || found == known_.end()) continue;
    const auto& known = found->second;
    if (known.identity != process.basics.identity) continue;
    process.proportional = known.memory;
    if (!known.is_readable) ++cuts_.unreadable;
    if (known.page != page_) ++cuts_.time;
  }
}

void SmapsReader::ask(const ProcessWalkResult& walk) {
  std::unordered_map<std::int32_t, Known> known;
  std::vector<Shared::Question> questions;
  for (const auto pid : walk.unread) {
    if (const auto found = known_.find(pid); found != known_.end()) known.insert(*found);
  }
  for (const auto& process : walk.processes) {
    if (!process.memory) continue;
    const auto& identity = process.basics.identity;
    const auto found = known_.find(identity.pid);
    const bool is_new = found == known_.end() || found->second.identity != identity;
    // A new one comes after those that have waited for longer than a page.
    const auto entry = is_new ? Known{identity, page_ - 1, true, {}} : found->second;
    known.insert_or_assign(identity.pid, entry);
    questions.push_back({identity, entry.page, process.memory->resident_bytes});
  }
  known_ = std::move(known);
  std::ranges::sort(questions, {}, [](const Shared::Question& question) {
    return std::tuple(question.last_page, question.resident_bytes);
  });

  std::unique_lock lock(shared_->mutex);
  const bool was_idle = shared_->is_idle();
  shared_->cpu_left = std::min(shared_->cpu_left + limits_.cpu_per_page, limits_.cpu_per_page);
  if (shared_->cpu_left.count() <= 0) return;
  shared_->page = page_;
  shared_->wanted.assign(questions.begin(), questions.end());
  // Not earlier, as privileges are dropped thread by thread.
  if (!std::exchange(is_running_, true)) {
    std::thread([shared = shared_] { shared->run(); }).detach();
  }
  shared_->changed.notify_all();
  if (was_idle) {
    shared_->changed.wait_for(lock, limits_.patience, [this] { return shared_->is_idle(); });
  }
}

void SmapsReader::take_answers() {
  std::vector<Shared::Answer> answers;
  {
    const std::lock_guard lock(shared_->mutex);
    answers.swap(shared_->answers);
  }
  for (const auto& answer : answers) {
    const auto found = known_.find(answer.identity.pid);
    if (found == known_.end() || found->second.identity != answer.identity) continue;
    found->second.page = answer.page;
    found->second.is_readable = answer.is_readable;
    found->second.memory = answer.memory;
  }
}

}  // namespace collectors
