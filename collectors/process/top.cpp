#include "collectors/process/top.hpp"

#include <algorithm>
#include <map>
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

using ByIdentity = std::map<ProcessIdentity, TopProcess>;

/// A process may stand in both lists of a slot, with the same numbers.
void add_slot(const TopSlot& slot, ByIdentity& sums) {
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

template <class Before>
std::vector<TopProcess> first_of(std::vector<TopProcess> all, std::size_t count, Before before) {
  std::stable_sort(all.begin(), all.end(), before);
  all.resize(std::min(count, all.size()));
  return all;
}

}  // namespace

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
}

std::vector<TopProcess> TopProcesses::merged(const TopSlot& live) const {
  ByIdentity sums;
  for (const auto& slot : closed_) {
    add_slot(slot.live, sums);
    add_slot(slot.ended, sums);
  }
  add_slot(ended_, sums);
  add_slot(live, sums);
  std::vector<TopProcess> all;
  all.reserve(sums.size());
  for (const auto& [identity, process] : sums) all.push_back(process);
  return all;
}

std::vector<TopProcess> TopProcesses::busiest(const TopSlot& live, std::size_t count) const {
  auto all = merged(live);
  std::erase_if(all, [](const TopProcess& process) { return process.cpu_ns == 0; });
  return first_of(std::move(all), count, uses_more_cpu);
}

std::vector<TopProcess> TopProcesses::largest(const TopSlot& live, std::size_t count) const {
  auto all = merged(live);
  std::erase_if(all, [](const TopProcess& process) { return process.peak_resident_bytes == 0; });
  return first_of(std::move(all), count, is_larger);
}

}  // namespace collectors
