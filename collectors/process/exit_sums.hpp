// Ended processes of which only sums are known, and which of them the ledger knew already.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "collectors/process/observation.hpp"
#include "procfs/snapshot.hpp"

namespace collectors {

using procfs::Clock;

/// A sum holds all that its processes ever used; what was counted while they ran must come off.
/// Whose they are shows only when the exit of a process that vanished stays untold: so a sum waits
/// until that is clear. Pure; not thread-safe.
class ExitSums {
 public:
  /// `delay`: longer than the ledger waits for a vanished process.
  explicit ExitSums(Clock::duration delay) : delay_(delay) {}

  void add(std::span<const ExitSum> sums, Clock::time_point now);

  /// A process of that name vanished, and its exit stayed untold. True when it is in one of the
  /// sums: `counted` is then taken off that.
  bool absorb(const Comm& comm, const ProcessUse& counted, Clock::time_point now);

  struct Settled {
    ExitSum sum;                    ///< Less what was counted of its processes before.
    std::uint64_t known_exits = 0;  ///< How many of its processes had been seen.
  };
  /// The sums that have waited long enough.
  std::vector<Settled> settle(Clock::time_point now);

 private:
  struct Waiting {
    Settled settled;
    Clock::time_point due;
  };

  /// What was counted of processes that were taken for others: it is to come off the sum that they
  /// are in. That one waits already, or never comes.
  struct Owed {
    ProcessUse use;
    Clock::time_point until;
  };
  void owe(const ProcessUse& use, Clock::time_point now);

  Clock::duration delay_;
  std::vector<Waiting> waiting_;
  std::vector<Owed> owed_;  // one for each second
};

}  // namespace collectors
