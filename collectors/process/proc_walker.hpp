// Walks over /proc that read as little as they can.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "collectors/collector.hpp"
#include "collectors/process/ledger.hpp"
#include "collectors/process/observation.hpp"
#include "collectors/process/proc_sample.hpp"
#include "collectors/process/reaped_children.hpp"
#include "collectors/process/sampling_pace.hpp"
#include "procfs/process_reader.hpp"

namespace collectors {

/// Lists /proc in every walk, and reads all of each process for a page, at its first sight and when
/// its name has changed. For a sample it reads stat and statm, and only of who is due: a process
/// that stays idle is so rarely. Nothing is lost by that but the last of one that is killed
/// meanwhile, as all counters are the kernel's. Not thread-safe.
class ProcWalker {
 public:
  /// Where children that ended are counted.
  enum class Children : std::uint8_t {
    told,        ///< By who is told of exits.
    of_parents,  ///< Here, from what their parents were added.
  };
  ProcWalker(const Host& host, Children children);

  /// A walk that reads at most so many of those that are idle or busy as before; and all others.
  /// Fails when /proc cannot be listed, and when there is nothing to hand on.
  metrics::Result<void> walk(WalkFor purpose, std::size_t max_readings);
  /// What that walk found: who was not read as it was last, and in `unread` who could not be.
  void hand_on(ProcessWalkResult& result) const;

  /// How many a sample would read now.
  [[nodiscard]] std::size_t due() const { return due_; }
  struct Counts {
    std::size_t readings = 0;
    std::size_t left_out = 0;
    double reading_seconds = 0;  ///< CPU time of this thread.
    std::uint64_t denied = 0, malformed = 0, failed = 0;
  };
  /// Of the last walk.
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  struct Tracked {
    std::uint64_t inode = 0;
    ProcessSample sample;
    std::array<std::uint64_t, 4> cpu_ticks{};  // its own, and its children's
    ReadingPeriod period;
    std::uint64_t read_at = 0;
    bool is_new = true;
    bool is_chosen = false;
    bool is_unread = false;
    bool has_ended = false;
  };

  metrics::Result<void> list();
  void choose(WalkFor purpose, std::size_t max_readings);
  metrics::Result<void> read(Tracked& tracked, WalkFor purpose);
  metrics::Result<void> read_all(Tracked& tracked);
  void take(Tracked& tracked, const procfs::ProcessStat& stat,
            const std::optional<procfs::ProcessIo>& io);
  void note(Tracked& tracked, const metrics::Error& error);
  void find_children();
  void count_due();

  procfs::ProcessReader reader_;
  ProcUnits units_;
  bool has_children_;
  ReapedChildren children_;
  std::uint64_t walk_ = 0;
  std::vector<procfs::FileReader::Numbered> listed_;
  std::vector<Tracked> tracked_;  // by pid
  std::vector<Tracked> before_;
  std::vector<std::int32_t> pids_;
  std::vector<std::int32_t> unread_;
  std::vector<std::size_t> choice_;
  std::int32_t chosen_last_ = 0;
  std::size_t due_ = 0;
  Counts counts_;
  std::optional<metrics::Error> trouble_;
};

/// CPU time that this thread ever used.
double thread_cpu_seconds();

}  // namespace collectors
