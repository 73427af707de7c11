#include "collectors/process/command_line_reader.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "procfs/process_reader.hpp"

namespace collectors {

struct CommandLineReader::Shared {
  explicit Shared(procfs::FileReader reader) : proc(std::move(reader)) {}

  procfs::FileReader proc;  // the thread's own
  std::mutex mutex;
  std::condition_variable changed;
  bool is_stopping = false;
  std::deque<Known> wanted;
  std::vector<Known> answers;

  void run() {
    procfs::ProcessReader reader(proc);
    for (;;) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [this] { return is_stopping || !wanted.empty(); });
      if (is_stopping) return;
      auto known = std::move(wanted.front());
      wanted.pop_front();
      lock.unlock();
      auto arguments = reader.read_cmdline(known.identity.pid);
      known.line = {};
      if (arguments) known.line.arguments = *std::move(arguments);
      lock.lock();
      answers.push_back(std::move(known));
    }
  }
};

CommandLineReader::CommandLineReader(const procfs::FileReader& proc) {
  auto reader = proc.duplicate();
  if (!reader) throw std::runtime_error("/proc: " + reader.error().detail);
  shared_ = std::make_shared<Shared>(*std::move(reader));
}

CommandLineReader::~CommandLineReader() {
  const std::lock_guard lock(shared_->mutex);
  shared_->is_stopping = true;
  shared_->changed.notify_all();
}

CommandLineReader::Line CommandLineReader::of(const ProcessIdentity& identity, std::uint32_t execs,
                                              bool has_ended) {
  take_answers();
  const auto found = known_.find(identity.pid);
  const bool is_known = found != known_.end() && found->second.identity == identity;
  if (has_ended) return is_known && !found->second.line.is_pending ? found->second.line : Line{};
  if (is_known && found->second.execs == execs) return found->second.line;
  if (pending_ >= kMaxPending) return {.is_pending = true, .arguments = {}};
  const Known asked{identity, execs, {.is_pending = true, .arguments = {}}};
  known_.insert_or_assign(identity.pid, asked);
  ++pending_;
  // Not earlier, as privileges are dropped thread by thread.
  if (!std::exchange(is_running_, true)) {
    std::thread([shared = shared_] { shared->run(); }).detach();
  }
  const std::lock_guard lock(shared_->mutex);
  shared_->wanted.push_back(asked);
  shared_->changed.notify_one();
  return asked.line;
}

void CommandLineReader::take_answers() {
  if (pending_ == 0) return;
  std::vector<Known> answers;
  {
    const std::lock_guard lock(shared_->mutex);
    answers.swap(shared_->answers);
  }
  pending_ -= answers.size();
  for (auto& answer : answers) {
    const auto found = known_.find(answer.identity.pid);
    if (found == known_.end() || found->second.identity != answer.identity) continue;
    if (found->second.execs == answer.execs) found->second.line = std::move(answer.line);
  }
}

}  // namespace collectors
