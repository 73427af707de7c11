// What is remembered of processes that are gone.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <map>
#include <optional>
#include <utility>

#include "collectors/process/observation.hpp"
#include "procfs/snapshot.hpp"

namespace collectors {

using procfs::Clock;

/// Processes whose exit was not told in time, with what is to be known should it be told after all.
/// Each is remembered for `time`; of more than `most` the oldest are forgotten. Not thread-safe.
template <class Value>
class Departed {
 public:
  struct Limits {
    std::size_t most;
    Clock::duration time;
  };
  explicit Departed(Limits limits) : limits_(limits) {}

  void add(const ProcessIdentity& identity, Value value, Clock::time_point now) {
    if (by_identity_.contains(identity)) return;
    if (by_age_.size() >= limits_.most) forget_oldest();
    by_age_.push_back({identity, std::move(value), now});
    by_identity_.emplace(identity, std::prev(by_age_.end()));
  }

  /// It is remembered no longer, and not counted as forgotten.
  std::optional<Value> take(const ProcessIdentity& identity) {
    const auto found = by_identity_.find(identity);
    if (found == by_identity_.end()) return std::nullopt;
    std::optional<Value> value(std::move(found->second->value));
    by_age_.erase(found->second);
    by_identity_.erase(found);
    return value;
  }

  void forget_old(Clock::time_point now) {
    while (!by_age_.empty() && now - by_age_.front().since >= limits_.time) forget_oldest();
  }

  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& entry : by_age_) visit(entry.value);
  }

  /// How many were forgotten, ever.
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }

 private:
  struct Entry {
    ProcessIdentity identity;
    Value value;
    Clock::time_point since;
  };

  void forget_oldest() {
    by_identity_.erase(by_age_.front().identity);
    by_age_.pop_front();
    ++forgotten_;
  }

  Limits limits_;
  std::list<Entry> by_age_;  // the oldest first
  std::map<ProcessIdentity, typename std::list<Entry>::iterator> by_identity_;
  std::uint64_t forgotten_ = 0;
};

}  // namespace collectors
