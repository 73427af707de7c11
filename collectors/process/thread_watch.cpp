#include "collectors/process/thread_watch.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>
#include <vector>

namespace collectors {

ThreadWatch::ThreadWatch(const Host& host, Limits limits, CpuClock cpu_clock)
    : reader_(host.proc),
      limits_(limits),
      cpu_clock_(std::move(cpu_clock)),
      nanoseconds_per_tick_(
          static_cast<std::uint64_t>(kNanosecondsPerSecond / host.system.ticks_per_second)),
      accounts_(limits.names) {}

void ThreadWatch::look(WalkFor purpose, ProcessWalkResult& walk, Clock::time_point now) {
  auto& processes = walk.processes;
  if (purpose == WalkFor::page || now >= due_at_) {
    const auto limit = purpose == WalkFor::page ? limits_.page_cpu : limits_.sample_cpu;
    const auto begin = cpu_clock_();
    auto first = std::ranges::find_if(
        processes, [this](const auto& process) { return process.basics.identity == next_; });
    if (first == processes.end()) first = processes.begin();
    bool was_late = false;
    const auto look_at_all = [&](auto from, auto to) {
      for (auto process = from; process != to; ++process) {
        const bool is_late = was_late || cpu_clock_() - begin >= limit;
        if (is_late && !was_late) next_ = process->basics.identity;
        was_late = is_late;
        look_at(purpose, *process, is_late);
      }
    };
    look_at_all(first, processes.end());
    look_at_all(processes.begin(), first);
    if (!was_late) next_ = {};
    due_at_ = now + std::chrono::duration_cast<Clock::duration>((cpu_clock_() - begin) /
                                                                limits_.sample_share);
  }
  for (auto& process : processes) accounts_.complete(process);
}

void ThreadWatch::look_at(WalkFor purpose, const ProcessSample& process, bool is_late) {
  const auto& identity = process.basics.identity;
  const bool is_cut = is_late && purpose == WalkFor::page;
  if (process.threads == 1 && !accounts_.has_been_several(identity)) {
    if (purpose != WalkFor::page) return;
    std::optional<std::string> wait_channel;
    if (!is_late) {
      if (auto channel = reader_.read_wait_channel(identity.pid)) wait_channel = *channel;
    }
    accounts_.see_single(process, std::move(wait_channel));
    if (is_cut) ++cuts_.time;
  } else if (accounts_.is_idle(process)) {
    return;
  } else if (!is_late) {
    read(purpose, process);
  } else if (is_cut) {
    cuts_.time += process.threads;
  }
}

void ThreadWatch::read(WalkFor purpose, const ProcessSample& process) {
  const auto& identity = process.basics.identity;
  const auto room = limits_.threads - std::min(limits_.threads, accounts_.threads_beside(identity));
  auto read = reader_.read_threads(identity.pid, std::min(limits_.of_a_process, room));
  Cuts cuts;
  if (!read) {
    if (read.error().code != metrics::Errc::gone) cuts.unreadable = process.threads;
  } else {
    cuts.limit = read->beyond_limit;
    std::vector<ThreadSample> threads;
    threads.reserve(read->threads.size());
    for (auto& thread : read->threads) threads.push_back(sample_of(std::move(thread)));
    // Since the walk, the pid may have come to another process: its main thread tells.
    const bool is_same = std::ranges::any_of(threads, [&](const ThreadSample& thread) {
      return ProcessIdentity{thread.tid, thread.start_ticks} == identity;
    });
    if (is_same) accounts_.see(process, std::move(threads));
  }
  if (purpose != WalkFor::page) return;
  cuts_.limit += cuts.limit;
  cuts_.unreadable += cuts.unreadable;
}

ThreadSample ThreadWatch::sample_of(procfs::Thread thread) const {
  ThreadSample sample{.tid = thread.tid,
                      .start_ticks = thread.stat.start_time_ticks,
                      .name = comm_of(thread.stat.comm),
                      .use = {},
                      .wait_channel = std::move(thread.wait_channel)};
  auto& use = sample.use;
  use.user_ns = thread.stat.user_ticks * nanoseconds_per_tick_;
  use.cpu_ns = use.user_ns + thread.stat.system_ticks * nanoseconds_per_tick_;
  use.set(Count::minor_faults, thread.stat.minor_faults);
  use.set(Count::major_faults, thread.stat.major_faults);
  if (thread.io) {
    use.set(Count::read_bytes, thread.io->read_bytes);
    use.set(Count::write_bytes, thread.io->write_bytes);
  }
  if (thread.voluntary_switches) {
    use.set(Count::voluntary_switches, *thread.voluntary_switches);
  }
  if (thread.nonvoluntary_switches) {
    use.set(Count::involuntary_switches, *thread.nonvoluntary_switches);
  }
  return sample;
}

void ThreadWatch::account(ProcessLedger& ledger, const ProcessWalkResult& walk,
                          Clock::time_point now) {
  std::unordered_set<std::int32_t> alive(walk.unread.begin(), walk.unread.end());
  for (const auto& process : walk.processes) alive.insert(process.basics.identity.pid);
  accounts_.begin_page(ledger.groups(), [&alive](const ProcessIdentity& identity) {
    return alive.contains(identity.pid);
  });
  ledger.for_each_member(walk, [&](const ProcessSample& process, ProcessGroup& group) {
    accounts_.credit(process, group, now);
  });
  accounts_.end_page(ledger.groups(), now);
}

}  // namespace collectors
