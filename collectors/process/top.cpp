#include "collectors/process/top.hpp"

#include <algorithm>
#include <utility>

namespace collectors {
namespace {

bool uses_more_cpu(const TopProcess& a, const TopProcess& b) { return a.cpu_ns > b.cpu_ns; }
bool is_larger(const TopProcess& a, const TopProcess& b) {
  return a.peak_resident_bytes > b.peak_resident_bytes;
}

template <class Before>
void offer_to(std::vector<TopProcess>& heap, const TopProcess& process, Before before) {
  if (heap.size() == TopSlot::kKept) {
    if (!before(process, heap.front())) return;
    std::pop_heap(heap.begin(), heap.end(), before);
    heap.back() = process;
  } else {
    heap.push_back(process);
  }
  std::push_heap(heap.begin(), heap.end(), before);
}

template <class Before>
void keep_first(std::vector<TopProcess>& all, std::size_t count, Before before) {
  std::stable_sort(all.begin(), all.end(), before);
  all.resize(std::min(count, all.size()));
}

}  // namespace

bool TopSlot::wants(std::uint64_t cpu_ns, std::uint64_t peak_resident_bytes) const {
  const auto is_more = [](const auto& heap, std::uint64_t value, auto member) {
    return value > 0 && (heap.size() < kKept || value > heap.front().*member);
  };
  return is_more(by_cpu_, cpu_ns, &TopProcess::cpu_ns) ||
         is_more(by_memory_, peak_resident_bytes, &TopProcess::peak_resident_bytes);
}

void TopSlot::offer(const TopProcess& process) {
  if (process.cpu_ns > 0) offer_to(by_cpu_, process, uses_more_cpu);
  if (process.peak_resident_bytes > 0) offer_to(by_memory_, process, is_larger);
}

bool TopProcesses::is_due(Clock::time_point now) const {
  return !opened_at_ || now - *opened_at_ >= slot_length_;
}

void TopProcesses::close(TopSlot live, Clock::time_point now) {
  opened_at_ = now;
  closed_.push_back({std::move(live), std::exchange(ended_, {}), now});
  while (now - closed_.front().closed_at >= kSlots * slot_length_) closed_.pop_front();
  closed_sums_.clear();
  for (const auto& slot : closed_) {
    add_slot(slot.live, closed_sums_);
    add_slot(slot.ended, closed_sums_);
  }
}

/// A process may stand in both lists of a slot, with the same numbers.
void TopProcesses::add_slot(const TopSlot& slot, ByIdentity& sums) {
  ByIdentity once;
  for (const auto* list : {&slot.by_cpu(), &slot.by_memory()}) {
    for (const auto& process : *list) once.try_emplace(process.identity, process);
  }
  for (const auto& [identity, process] : once) {
    const auto [sum, is_new] = sums.try_emplace(identity, process);
    if (is_new) continue;
    const auto cpu_ns = sum->second.cpu_ns + process.cpu_ns;
    const auto peak = std::max(sum->second.peak_resident_bytes, process.peak_resident_bytes);
    sum->second = process;  // its last name
    sum->second.cpu_ns = cpu_ns;
    sum->second.peak_resident_bytes = peak;
  }
}

TopProcessLists TopProcesses::first(const TopSlot& live, std::size_t count) const {
  auto sums = closed_sums_;
  add_slot(ended_, sums);
  add_slot(live, sums);
  TopProcessLists lists;
  for (const auto& [identity, process] : sums) {
    if (process.cpu_ns > 0) lists.busiest.push_back(process);
    if (process.peak_resident_bytes > 0) lists.largest.push_back(process);
  }
  keep_first(lists.busiest, count, uses_more_cpu);
  keep_first(lists.largest, count, is_larger);
  return lists;
}

}  // namespace collectors
