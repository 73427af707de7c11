// Which processes used most of late, those that are gone included.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "collectors/process/observation.hpp"
#include "procfs/snapshot.hpp"

namespace collectors {

using procfs::Clock;

struct TopProcess {
  ProcessIdentity identity;
  Comm comm{};
  std::optional<std::uint32_t> user_id;
  std::uint64_t cgroup_id = 0;
  std::uint64_t cpu_ns = 0;               ///< Used within the slot or window.
  std::uint64_t peak_resident_bytes = 0;  ///< Largest within it.
};

/// The processes that used most CPU time and most memory of those offered, in constant memory.
class TopSlot {
 public:
  static constexpr std::size_t kKept = 32;  ///< By each.

  /// Whether one with these numbers would be kept now.
  [[nodiscard]] bool wants(std::uint64_t cpu_ns, std::uint64_t peak_resident_bytes) const;
  /// Once for each process.
  void offer(const TopProcess& process);

  [[nodiscard]] const std::vector<TopProcess>& by_cpu() const { return by_cpu_; }
  [[nodiscard]] const std::vector<TopProcess>& by_memory() const { return by_memory_; }

 private:
  std::vector<TopProcess> by_cpu_;     // a heap with the least on top
  std::vector<TopProcess> by_memory_;  // the same
};

/// Most first; those with nothing are left out.
struct TopProcessLists {
  std::vector<TopProcess> busiest;
  std::vector<TopProcess> largest;
};

/// A sliding window of slots. A process that is among the first TopSlot::kKept of every slot has
/// exact sums; one that just misses some slots has lower ones. Not thread-safe.
class TopProcesses {
 public:
  static constexpr int kSlots = 10;  ///< In a window.

  explicit TopProcesses(std::chrono::nanoseconds window) : slot_length_(window / kSlots) {}

  /// Whether the slot has lasted long enough: then close() it.
  [[nodiscard]] bool is_due(Clock::time_point now) const;
  /// A process that has ended, with what it used in this slot.
  void add_ended(const TopProcess& process) { ended_.offer(process); }
  /// Ends the slot. `live`: the processes that live on.
  void close(TopSlot live, Clock::time_point now);

  /// The first `count` of the closed slots of the window and the open one. `live`: the processes
  /// that live now, with what they used in this slot.
  [[nodiscard]] TopProcessLists first(const TopSlot& live, std::size_t count) const;

 private:
  struct Closed {
    TopSlot live, ended;
    Clock::time_point closed_at;
  };
  using ByIdentity = std::map<ProcessIdentity, TopProcess>;
  static void add_slot(const TopSlot& slot, ByIdentity& sums);

  std::chrono::nanoseconds slot_length_;
  std::optional<Clock::time_point> opened_at_;
  TopSlot ended_;
  std::deque<Closed> closed_;
  ByIdentity closed_sums_;  // over those
};

}  // namespace collectors
