#include "collectors/process/command_line_reader.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

#include "procfs/process_reader.hpp"

namespace collectors {
namespace {

using TimePoint = procfs::Clock::time_point;

/// The start is compared afterwards: then the pid was not another's while its line was read.
std::optional<std::string> line_of(procfs::ProcessReader& reader, const ProcessIdentity& identity) {
  auto line = reader.read_cmdline(identity.pid);
  if (!line) return std::nullopt;
  const auto stat = reader.read_stat(identity.pid);
  if (!stat || stat->start_time_ticks != identity.start_ticks) return std::nullopt;
  return *std::move(line);
}

CommandLineReader::MakeReadLine readers_of(const procfs::FileReader& proc) {
  auto kept = proc.duplicate();
  if (!kept) throw std::runtime_error("/proc: " + kept.error().detail);
  // A std::function wants to be copied, a FileReader does not.
  auto shared = std::make_shared<procfs::FileReader>(*std::move(kept));
  return [shared]() -> metrics::Result<CommandLineReader::ReadLine> {
    auto own = shared->duplicate();
    if (!own) return own.error();
    auto files = std::make_shared<procfs::FileReader>(*std::move(own));
    auto reader = std::make_shared<procfs::ProcessReader>(*files);
    return CommandLineReader::ReadLine(
        [files, reader](const ProcessIdentity& identity) { return line_of(*reader, identity); });
  };
}

}  // namespace

/// What the threads share; all but `make` and `now` under the mutex.
struct CommandLineReader::Shared {
  struct Wish {
    ProcessIdentity identity;
    std::uint64_t ticket = 0;
  };
  struct Asked {
    ProcessBasics process;
    std::uint64_t ticket = 0;
    TimePoint since;
    bool is_answered = false;
    std::optional<std::string> line;

    [[nodiscard]] bool is_of(const ProcessBasics& other) const {
      if (process.identity != other.identity) return false;
      return other.execs != 0 ? process.execs == other.execs : process.comm == other.comm;
    }
  };
  /// A read under way.
  struct Reading {
    Wish wish;
    std::optional<TimePoint> since;  // as somebody looked first
    bool is_stuck = false;
  };
  using ByPid = std::unordered_map<std::int32_t, Asked>;

  MakeReadLine make;
  Now now;
  mutable std::mutex mutex;
  std::condition_variable changed;
  bool is_stopping = false;
  std::uint64_t last_ticket = 0;
  std::deque<Wish> wanted;
  ByPid asked;
  std::size_t held_bytes = 0;
  std::list<Reading> readings;
  std::size_t threads = 0;
  std::size_t stuck = 0;
  std::uint64_t late = 0;

  void run(const ReadLine& read) {
    std::unique_lock lock(mutex);
    const auto has_work = [this] {
      return is_stopping || (!wanted.empty() && held_bytes < kMaxHeldBytes);
    };
    for (;;) {
      changed.wait(lock, has_work);
      if (is_stopping) return;
      const auto wish = wanted.front();
      wanted.pop_front();
      if (find(wish) == asked.end()) continue;
      const auto reading = readings.insert(readings.end(), Reading{wish, {}, false});
      lock.unlock();
      auto line = read(wish.identity);
      lock.lock();
      const bool is_replaced = reading->is_stuck;
      readings.erase(reading);
      answer(wish, std::move(line));
      if (!is_replaced) continue;
      --stuck;
      --threads;
      return;
    }
  }

  ByPid::iterator find(const Wish& wish) {
    const auto found = asked.find(wish.identity.pid);
    return found != asked.end() && found->second.ticket == wish.ticket ? found : asked.end();
  }

  void answer(const Wish& wish, std::optional<std::string> line) {
    const auto found = find(wish);
    if (found == asked.end()) return;
    found->second.is_answered = true;
    found->second.line = std::move(line);
    if (found->second.line) held_bytes += found->second.line->size();
  }

  std::optional<std::string> take(ByPid::iterator entry) {
    auto line = std::move(entry->second.line);
    asked.erase(entry);
    if (line) {
      const bool was_full = held_bytes >= kMaxHeldBytes;
      held_bytes -= line->size();
      if (was_full) changed.notify_all();
    }
    return line;
  }

  /// Sets those aside that hold a thread.
  void look_after_threads(TimePoint when) {
    for (auto& reading : readings) {
      if (!reading.since) reading.since = when;
      if (reading.is_stuck || when - *reading.since < kStuckAfter) continue;
      reading.is_stuck = true;
      ++stuck;
      if (find(reading.wish) == asked.end()) continue;
      answer(reading.wish, std::nullopt);
      ++late;
    }
  }

  /// Where none is free, and more are allowed and to be had.
  static void ensure_thread(const std::shared_ptr<Shared>& shared, TimePoint when) {
    if (shared->threads > shared->stuck || shared->threads >= kMaxThreads) return;
    auto read = shared->make();
    if (!read) return;
    try {
      std::thread([shared, read = *std::move(read)] { shared->run(read); }).detach();
    } catch (const std::system_error&) {
      return;  // A limit on threads. Those who ask next try again.
    }
    ++shared->threads;
    for (auto& [pid, entry] : shared->asked) entry.since = when;
  }

  /// False when too many are asked for already.
  bool ask(const ProcessBasics& process, TimePoint when) {
    if (asked.size() >= kMaxAsked) return false;
    if (wanted.size() >= kMaxAsked) {
      std::erase_if(wanted, [this](const Wish& wish) { return find(wish) == asked.end(); });
    }
    asked.insert_or_assign(process.identity.pid, Asked{process, ++last_ticket, when, false, {}});
    wanted.push_back({process.identity, last_ticket});
    changed.notify_one();
    return true;
  }

  [[nodiscard]] bool is_set_aside(const ProcessIdentity& identity) const {
    return std::ranges::any_of(readings, [&](const Reading& reading) {
      return reading.is_stuck && reading.wish.identity == identity;
    });
  }
};

CommandLineReader::CommandLineReader(const procfs::FileReader& proc)
    : CommandLineReader(readers_of(proc)) {}

CommandLineReader::CommandLineReader(MakeReadLine make, Now now)
    : shared_(std::make_shared<Shared>()) {
  shared_->make = std::move(make);
  shared_->now = std::move(now);
}

CommandLineReader::~CommandLineReader() {
  const std::lock_guard lock(shared_->mutex);
  shared_->is_stopping = true;
  shared_->changed.notify_all();
}

CommandLineReader::Line CommandLineReader::of(const ProcessBasics& process, bool has_ended) {
  auto& shared = *shared_;
  const auto when = shared.now();
  const std::lock_guard lock(shared.mutex);
  shared.look_after_threads(when);
  if (!shared.wanted.empty()) Shared::ensure_thread(shared_, when);
  auto found = shared.asked.find(process.identity.pid);
  const bool is_known = found != shared.asked.end() && found->second.is_of(process);
  if (has_ended) return is_known ? Line{.arguments = shared.take(found)} : Line{};
  if (!is_known) {
    if (found != shared.asked.end()) shared.take(found);  // of before an exec, or another process
    if (shared.is_set_aside(process.identity)) {
      ++shared.late;
      return {};
    }
    // The thread not earlier, as privileges are dropped thread by thread.
    if (shared.ask(process, when)) Shared::ensure_thread(shared_, when);
    return {.is_pending = true};
  }
  if (found->second.is_answered) return {.arguments = shared.take(found)};
  if (when - found->second.since < kPatience) return {.is_pending = true};
  ++shared.late;
  shared.take(found);
  return {};
}

void CommandLineReader::forget(const ProcessIdentity& identity) {
  const std::lock_guard lock(shared_->mutex);
  const auto found = shared_->asked.find(identity.pid);
  if (found != shared_->asked.end() && found->second.process.identity == identity) {
    shared_->take(found);
  }
}

std::size_t CommandLineReader::stuck() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->stuck;
}

std::uint64_t CommandLineReader::late() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->late;
}

}  // namespace collectors
