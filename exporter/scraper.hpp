#pragma once

#include <memory>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "collectors/collector.hpp"
#include "exporter/pass.hpp"

namespace exporter {

/// Runs the enabled collectors and keeps their failures apart: whatever one does, the others are on
/// the page. Not thread-safe.
class Scraper {
 public:
  /// Throws std::length_error for more than kMaxCollectors. `host` must outlive it.
  Scraper(std::span<const collectors::CollectorSpec* const> specs, const collectors::Host& host);

  /// Hands the tick to every collector.
  void tick(Clock::time_point now);

  /// Begins what the pass wants; then work_on() is to be called until the pass is complete.
  void begin(const Pass& pass, Clock::time_point deadline);
  /// Runs the collectors that the pass still wants, in page order, those that wait for somebody
  /// last, and completes its pages. False when somebody has to be waited for beyond `until`: call
  /// it again. Collectors whose turn comes after `deadline`, when nobody waits any more, are left
  /// out.
  bool work_on(Pass& pass, Clock::time_point deadline, Clock::time_point until);

  /// Whether any collector has a configuration file of its own.
  [[nodiscard]] bool is_reloadable() const;
  /// Lets those that have read it anew. False when one could not: that one goes on with the old.
  bool reload();

  [[nodiscard]] const CollectorNames& names() const { return names_; }

 private:
  struct Unit {
    std::unique_ptr<collectors::Collector> collector;
    Status last_status = Status::waiting;
    std::string last_complaint = {};
    bool has_tick_failed = false;
  };

  void run(Pass& pass, std::size_t index, Clock::time_point now);
  void log_change(std::size_t index, Status status, const std::string& problem);
  void log_complaint(std::size_t index, const std::string& complaint);
  void log_refused(const Pass& pass);

  std::vector<Unit> units_;
  CollectorNames names_;
  std::unordered_set<std::string> refused_;  // logged already
};

}  // namespace exporter
