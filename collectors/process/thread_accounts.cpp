#include "collectors/process/thread_accounts.hpp"

#include <algorithm>
#include <utility>

#include "collectors/process/namer.hpp"
#include "metrics/escape.hpp"

namespace collectors {
namespace {

void add_growth(std::optional<std::uint64_t>& sum, std::optional<std::uint64_t> now,
                std::optional<std::uint64_t> before) {
  if (!now) return;
  sum = sum.value_or(0) + *now - std::min(*now, before.value_or(0));
}

/// What was counted of a process may be more than its main thread ever used: then the rest was of
/// threads that ended, and must not stand in the way of what the main thread uses from now on.
void lower_to(ProcessUse& counted, const ProcessUse& use) {
  counted.cpu_ns = std::min(counted.cpu_ns, use.cpu_ns);
  counted.user_ns = std::min(counted.user_ns, use.user_ns);
  for (std::size_t count = 0; count < kCounts; ++count) {
    counted.counts[count] = std::min(counted.counts[count], use.counts[count]);
  }
}

/// kOtherThreads has a place of its own.
std::size_t places_taken(const ThreadsByName& threads) {
  return threads.size() - threads.count(ThreadAccounts::kOtherThreads);
}

void keep_most_frequent(WaitChannels& channels, std::size_t count) {
  if (channels.size() <= count) return;
  std::vector<std::pair<std::string, std::uint64_t>> ranking(channels.begin(), channels.end());
  std::ranges::stable_sort(ranking, std::greater(), &decltype(ranking)::value_type::second);
  channels = {ranking.begin(), ranking.begin() + static_cast<std::ptrdiff_t>(count)};
  for (auto i = count; i < ranking.size(); ++i) {
    channels[std::string(ThreadAccounts::kOtherThreads)] += ranking[i].second;
  }
}

}  // namespace

const ThreadAccounts::Process* ThreadAccounts::find(const ProcessIdentity& identity) const {
  const auto found = processes_.find(identity.pid);
  const bool is_known = found != processes_.end() && found->second.identity == identity;
  return is_known ? &found->second : nullptr;
}

ThreadAccounts::Process& ThreadAccounts::at(const ProcessIdentity& identity) {
  auto& process = processes_[identity.pid];
  if (process.identity != identity) {
    threads_ -= process.threads.size();
    process = {};
    process.identity = identity;
  }
  return process;
}

void ThreadAccounts::see(const ProcessSample& sample, std::vector<ThreadSample> threads) {
  auto& process = at(sample.basics.identity);
  auto before = std::exchange(process.threads, {});
  auto old = before.begin();
  for (auto& thread : threads) {
    while (old != before.end() && old->latest.tid < thread.tid) ++old;
    Known known;
    if (old != before.end() && old->latest.tid == thread.tid &&
        old->latest.start_ticks == thread.start_ticks) {
      known = std::move(*old);
      if (!process.has_been_several) lower_to(known.counted, thread.use);
    }
    const auto& latest = known.latest.use;
    add_growth(process.voluntary_switches, thread.use.get(Count::voluntary_switches),
               latest.get(Count::voluntary_switches));
    add_growth(process.involuntary_switches, thread.use.get(Count::involuntary_switches),
               latest.get(Count::involuntary_switches));
    known.latest = std::move(thread);
    process.threads.push_back(std::move(known));
  }
  threads_ += process.threads.size() - before.size();
  process.has_been_several = true;
  process.cpu_ns = sample.use.cpu_ns;
  process.listed_threads = sample.threads;
}

void ThreadAccounts::see_single(const ProcessSample& sample,
                                std::optional<std::string> wait_channel) {
  auto& process = at(sample.basics.identity);
  if (process.threads.empty()) {
    process.threads.emplace_back();
    ++threads_;
  }
  auto& thread = process.threads.front().latest;
  // A source that could read nothing this time knows no more than before; taken for zeros, what was
  // counted would count again.
  const bool is_empty = sample.use.readable == 0 && sample.use.cpu_ns == 0;
  const auto use = is_empty ? thread.use : sample.use;
  add_growth(process.voluntary_switches, use.get(Count::voluntary_switches),
             thread.use.get(Count::voluntary_switches));
  add_growth(process.involuntary_switches, use.get(Count::involuntary_switches),
             thread.use.get(Count::involuntary_switches));
  thread = {.tid = sample.basics.identity.pid,
            .start_ticks = sample.basics.identity.start_ticks,
            .name = sample.basics.comm,
            .use = use,
            .wait_channel = std::move(wait_channel)};
}

bool ThreadAccounts::has_been_several(const ProcessIdentity& identity) const {
  const auto* const process = find(identity);
  return process != nullptr && process->has_been_several;
}

bool ThreadAccounts::is_idle(const ProcessSample& sample) const {
  const auto* const process = find(sample.basics.identity);
  return process != nullptr && process->has_been_several &&
         sample.use.get(Count::voluntary_switches) && process->cpu_ns == sample.use.cpu_ns &&
         process->listed_threads == sample.threads;
}

std::size_t ThreadAccounts::threads_beside(const ProcessIdentity& identity) const {
  const auto* const process = find(identity);
  return threads_ - (process != nullptr ? process->threads.size() : 0);
}

void ThreadAccounts::complete(ProcessSample& sample) const {
  const auto* const process = find(sample.basics.identity);
  if (process == nullptr || sample.use.get(Count::voluntary_switches)) return;
  if (process->voluntary_switches) {
    sample.use.set(Count::voluntary_switches, *process->voluntary_switches);
  }
  if (process->involuntary_switches) {
    sample.use.set(Count::involuntary_switches, *process->involuntary_switches);
  }
}

void ThreadAccounts::begin_page(GroupTable& groups,
                                const std::function<bool(const ProcessIdentity&)>& is_alive) {
  std::erase_if(processes_, [&](const auto& entry) {
    if (is_alive(entry.second.identity)) return false;
    threads_ -= entry.second.threads.size();
    return true;
  });
  names_ = 0;
  for (auto& [key, group] : groups.by_key()) {
    for (auto& [name, threads] : group.threads) threads.count = 0;
    names_ += places_taken(group.threads);
    group.wait_channels.clear();
  }
}

void ThreadAccounts::credit(const ProcessSample& sample, ProcessGroup& group,
                            Clock::time_point now) {
  const auto found = processes_.find(sample.basics.identity.pid);
  if (found == processes_.end() || found->second.identity != sample.basics.identity) return;
  for (auto& known : found->second.threads) {
    auto& named = place(group.threads, known, sample.basics.is_kernel_thread);
    ++named.count;
    named.totals.add(taken_growth(known.latest.use, known.counted));
    named.last_occupied_at = now;
    if (known.latest.wait_channel) ++group.wait_channels[*known.latest.wait_channel];
  }
}

/// Under its own name where there is a place.
NamedThreads& ThreadAccounts::place(ThreadsByName& threads, Known& known, bool is_kernel_thread) {
  const auto name = metrics::repaired(plain_name(text_of(known.latest.name), is_kernel_thread));
  if (const auto found = threads.find(name); found != threads.end()) return found->second;
  const bool has_place =
      name == kOtherThreads ||
      (names_ < limits_.names && places_taken(threads) < limits_.names_of_a_group);
  if (!has_place && !std::exchange(known.is_crowded, true)) ++crowded_out_;
  const auto [made, is_new] = threads.try_emplace(has_place ? name : std::string(kOtherThreads));
  if (is_new && made->first != kOtherThreads) ++names_;
  return made->second;
}

void ThreadAccounts::end_page(GroupTable& groups, Clock::time_point now) const {
  for (auto& [key, group] : groups.by_key()) {
    std::erase_if(group.threads, [&](const auto& entry) {
      return entry.first != kOtherThreads &&
             now - entry.second.last_occupied_at > limits_.keep_empty;
    });
    keep_most_frequent(group.wait_channels, limits_.wait_channels_of_a_group);
  }
}

}  // namespace collectors
