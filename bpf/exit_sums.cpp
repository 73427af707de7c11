#include "bpf/exit_sums.hpp"

#include <bpf/bpf.h>

#include <cerrno>
#include <system_error>

namespace bpf {
namespace {

using metrics::Errc;
using metrics::Error;
using metrics::Result;

constexpr std::array kCounters = {
    &ProcessCounters::user_time_ns,        &ProcessCounters::system_time_ns,
    &ProcessCounters::run_time_ns,         &ProcessCounters::minor_faults,
    &ProcessCounters::major_faults,        &ProcessCounters::read_bytes,
    &ProcessCounters::write_bytes,         &ProcessCounters::voluntary_switches,
    &ProcessCounters::involuntary_switches};

/// Field by field: a program may be between two of them, and the rest comes next time.
ExitSums read(const ExitSums& live) {
  ExitSums sums{};
  for (std::size_t reason = 0; reason < EXIT_REASONS; ++reason) {
    sums.exits[reason] = __atomic_load_n(&live.exits[reason], __ATOMIC_RELAXED);
  }
  for (const auto counter : kCounters) {
    sums.counters.*counter = __atomic_load_n(&(live.counters.*counter), __ATOMIC_RELAXED);
  }
  sums.peak_resident_pages = __atomic_load_n(&live.peak_resident_pages, __ATOMIC_RELAXED);
  return sums;
}

ExitSums difference(ExitSums now, const ExitSums& before) {
  for (std::size_t reason = 0; reason < EXIT_REASONS; ++reason) {
    now.exits[reason] -= before.exits[reason];
  }
  for (const auto counter : kCounters) now.counters.*counter -= before.counters.*counter;
  return now;
}

}  // namespace

Result<void> ExitSumsReader::drain(std::vector<std::pair<ExitKey, ExitSums>>& summed,
                                   ExitSums& nameless) {
  summed.clear();
  const auto now = read(*maps_.nameless);
  nameless = difference(now, nameless_before_);
  nameless_before_ = now;

  auto active = __atomic_load_n(maps_.active, __ATOMIC_SEQ_CST) & 1U;
  if (!is_closing_ && maps_.used[active] != 0) {
    active ^= 1U;
    __atomic_store_n(maps_.active, active, __ATOMIC_SEQ_CST);
    is_closing_ = true;
  }
  // Who enters now sees the new active set, and leaves the old one at once.
  const auto closing = active ^ 1U;
  if (!is_closing_ || __atomic_load_n(&maps_.inside[closing], __ATOMIC_SEQ_CST) != 0) return {};
  return empty(closing, summed);
}

Result<void> ExitSumsReader::empty(std::size_t set,
                                   std::vector<std::pair<ExitKey, ExitSums>>& summed) {
  std::vector<ExitKey> keys(keys_);
  std::vector<ExitSums> sums(keys_);
  summed.reserve(keys_);  // Nothing may throw between taking sums and handing them on.
  std::uint64_t position = 0;
  for (bool is_first = true;; is_first = false) {
    auto count = keys_;
    const int error =
        bpf_map_lookup_and_delete_batch(maps_.sets.at(set), is_first ? nullptr : &position,
                                        &position, keys.data(), sums.data(), &count, nullptr);
    if (error != 0 && error != -ENOENT) {
      return Error{Errc::io,
                   "reading sums of exits from BPF: " + std::generic_category().message(-error)};
    }
    for (std::uint32_t index = 0; index < count; ++index) {
      summed.emplace_back(keys[index], sums[index]);
    }
    if (error == -ENOENT) break;  // That was the last.
  }
  maps_.used[set] = 0;
  is_closing_ = false;
  return {};
}

}  // namespace bpf
