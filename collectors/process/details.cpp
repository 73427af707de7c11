#include "collectors/process/details.hpp"

#include <chrono>
#include <string_view>

#include "collectors/process/source.hpp"
#include "collectors/process/thread_families.hpp"

namespace collectors {
namespace {

using metrics::Family;
using metrics::Kind;

constexpr Family kThreadsSkipped = {
    "host_process_threads_skipped_total",
    "Threads that a scrape had no time for, that were beyond the limit of those read from "
    "/proc/PID/task, or that could not be read.",
    Kind::counter};
constexpr Family kThreadsCrowded = {
    "host_process_threads_crowded_out_total",
    "Threads of /proc/PID/task that came under the name \"other\" for want of a place.",
    Kind::counter};
constexpr Family kSmapsSkipped = {
    "host_process_smaps_skipped_total",
    "Processes whose /proc/PID/smaps_rollup a scrape had no time for, so that their proportional "
    "memory is of an earlier one or absent, or that could not be read.",
    Kind::counter};

ThreadWatch::Limits thread_limits(const Host& host, Clock::duration keep_empty) {
  ThreadWatch::Limits limits;
  limits.sample_share = host.settings.share("process", kProcessBudget);
  limits.names.keep_empty = keep_empty;
  return limits;
}

SmapsReader::Limits smaps_limits(const Host& host) {
  SmapsReader::Limits limits;
  limits.cpu_per_page =
      std::chrono::milliseconds(host.settings.number("process", kProcessSmapsBudget, 1, 60'000));
  return limits;
}

}  // namespace

ProcessDetails::ProcessDetails(const Host& host, Clock::duration keep_empty) : reader_(host.proc) {
  const auto of_smaps = smaps_limits(host);
  if (host.settings.truth("process", kProcessThreads)) {
    threads_.emplace(host, thread_limits(host, keep_empty));
  }
  if (host.settings.truth("process", kProcessSmaps)) smaps_.emplace(host.proc, of_smaps);
}

void ProcessDetails::complete(WalkFor purpose, ProcessWalkResult& walk, Clock::time_point now) {
  if (threads_) threads_->look(purpose, walk, now);
  if (purpose != WalkFor::page) return;
  add_limits(walk);
  if (smaps_) smaps_->complete(walk);
}

void ProcessDetails::add_limits(ProcessWalkResult& walk) {
  for (auto& process : walk.processes) {
    if (process.open_files.value_or(0) == 0 || process.open_files_limit) continue;
    if (const auto limits = reader_.read_limits(process.basics.identity.pid)) {
      process.open_files_limit = limits->open_files;
    }
  }
}

void ProcessDetails::account(ProcessLedger& ledger, const ProcessWalkResult& walk,
                             Clock::time_point now) {
  if (threads_) threads_->account(ledger, walk, now);
}

void ProcessDetails::emit(metrics::Sink& sink, const GroupFamiliesInput& input) const {
  if (threads_) {
    emit_threads(sink, input);
    const auto& cuts = threads_->cuts();
    sink.family(kThreadsSkipped);
    sink.sample({{"reason", "time"}}, static_cast<double>(cuts.time));
    sink.sample({{"reason", "limit"}}, static_cast<double>(cuts.limit));
    sink.sample({{"reason", "unreadable"}}, static_cast<double>(cuts.unreadable));
    sink.single(kThreadsCrowded, static_cast<double>(threads_->crowded_out()));
  }
  if (smaps_) {
    const auto& cuts = smaps_->cuts();
    sink.family(kSmapsSkipped);
    sink.sample({{"reason", "time"}}, static_cast<double>(cuts.time));
    sink.sample({{"reason", "unreadable"}}, static_cast<double>(cuts.unreadable));
  }
}

void ProcessDetails::list(metrics::FamilyList& list) {
  list_threads(list);
  list.add({kThreadsSkipped}, "reason", kWithThreads);
  list.add({kThreadsCrowded}, {}, kWithThreads);
  list.add({kSmapsSkipped}, "reason", "with --collector.process.smaps=true");
}

}  // namespace collectors
