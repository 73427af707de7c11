// What threads used, by the names they have within their groups.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "collectors/process/group_table.hpp"
#include "collectors/process/observation.hpp"

namespace collectors {

/// A thread as it was when it was read.
struct ThreadSample {
  std::int32_t tid = 0;
  std::uint64_t start_ticks = 0;  ///< Since boot; with the tid, tells it from all others.
  Comm name{};                    ///< Any bytes.
  ProcessUse use;                 ///< Its own.
  std::optional<std::string> wait_channel;
};

/// Pure logic, fed with the threads of one process after the other. As in the ledger, the threads'
/// name gets all that they used so far at first sight, and later what they used since they were
/// last seen; so a counter stays where it is when a thread ends. What one uses after it was seen
/// last, and what lives unseen, is in the group's own counters only. A process that is not read
/// again keeps the threads that it had. Not thread-safe.
class ThreadAccounts {
 public:
  /// Beyond these, threads come under kOtherThreads of their group, which has always a place.
  struct Limits {
    std::size_t names_of_a_group = 50;
    std::size_t names = 2000;  ///< Of all groups.
    std::size_t wait_channels_of_a_group = 30;
    Clock::duration keep_empty = std::chrono::minutes(10);  ///< Names without threads.
  };
  static constexpr std::string_view kOtherThreads = "other";

  explicit ThreadAccounts(Limits limits) : limits_(limits) {}

  /// The threads of a process, by ascending tid.
  void see(const ProcessSample& process, std::vector<ThreadSample> threads);
  /// A process that never had more than one thread, whose use is so the thread's.
  void see_single(const ProcessSample& process, std::optional<std::string> wait_channel);
  [[nodiscard]] bool has_been_several(const ProcessIdentity& identity) const;
  /// Whether no thread can have run since the last see(): only a source that counts every
  /// nanosecond can tell.
  [[nodiscard]] bool is_idle(const ProcessSample& process) const;
  /// How many threads all other processes have that were seen.
  [[nodiscard]] std::size_t threads_beside(const ProcessIdentity& identity) const;

  /// Context switches of all threads that were ever seen, where the source does not tell them.
  void complete(ProcessSample& process) const;

  /// Begins a page: `is_alive` says whether a process is there still. Then comes credit() for every
  /// process in a group, then end_page().
  void begin_page(GroupTable& groups, const std::function<bool(const ProcessIdentity&)>& is_alive);
  void credit(const ProcessSample& process, ProcessGroup& group, Clock::time_point now);
  void end_page(GroupTable& groups, Clock::time_point now) const;

  /// Threads that came under kOtherThreads for want of a place.
  [[nodiscard]] std::uint64_t crowded_out() const { return crowded_out_; }

 private:
  struct Known {
    ThreadSample latest;
    ProcessUse counted;
    bool is_crowded = false;
  };
  struct Process {
    ProcessIdentity identity;
    std::uint64_t cpu_ns = 0;          // of the process, when its threads were seen last
    std::uint32_t listed_threads = 0;  // likewise
    bool has_been_several = false;
    std::optional<std::uint64_t> voluntary_switches;
    std::optional<std::uint64_t> involuntary_switches;
    std::vector<Known> threads;
  };

  [[nodiscard]] const Process* find(const ProcessIdentity& identity) const;
  Process& at(const ProcessIdentity& identity);
  NamedThreads& place(ThreadsByName& threads, Known& known, bool is_kernel_thread);

  Limits limits_;
  std::unordered_map<std::int32_t, Process> processes_;  // by pid
  std::size_t threads_ = 0;
  std::size_t names_ = 0;
  std::uint64_t crowded_out_ = 0;
};

}  // namespace collectors
