#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "exporter/leader_followers.hpp"
#include "exporter/pass.hpp"
#include "exporter/scraper.hpp"
#include "exporter/self_metrics.hpp"

namespace exporter {

/// Decides when the collectors work, one thing at a time: a tick at every sampling interval, and
/// passes for those who ask. A pass that waits for other programs lets the ticks be. A request is
/// answered by a pass that began after it came; those that wait for the same pass share it, so that
/// at most one pass runs and one waits, however many ask. Called by handlers of `io` only.
class PassScheduler {
 public:
  /// Ticks from the moment that `io` runs. Everything must outlive the handlers of `io`.
  PassScheduler(boost::asio::io_context& io, LeaderFollowers& threads, Scraper& scraper,
                SelfMetrics& self, std::chrono::nanoseconds sample_interval);

  /// A page for `wish` after at most `budget`; collectors that are late are left out and flagged.
  /// Null when too many different pages are being asked for. Throws std::runtime_error when the
  /// pass failed as a whole.
  boost::asio::awaitable<std::shared_ptr<const Page>> scrape(Wish wish, Clock::duration budget);

  /// Lets the collectors read their configuration anew, before the next pass, and then calls
  /// `done`. Those who ask while others wait are served together.
  void reload(std::function<void()> done);

  /// How each collector did when it last ran.
  [[nodiscard]] const Reports& reports() const { return reports_; }
  [[nodiscard]] const CollectorNames& names() const { return scraper_.names(); }

  /// When the last tick ended; the epoch before the first.
  [[nodiscard]] Clock::time_point last_tick() const { return last_tick_; }

  /// Starts no more work, and calls `stopped` when what is under way is done; at once, or never if
  /// the kernel does not let go of a collector.
  void stop(std::function<void()> stopped);

 private:
  struct Ticket;
  struct Job;

  std::shared_ptr<Pass> make_pass();
  [[nodiscard]] bool is_crowded(const Wish& wish) const;
  void start_pass();
  void work_on(Job& job, Clock::time_point until);
  void start_tick();
  std::shared_ptr<Job> take_job();
  void go_on(const std::shared_ptr<Job>& job);
  void deliver(const Job& job);
  void end_if_stopped();
  void wait_for_tick() noexcept;  // NOLINT(bugprone-exception-escape)
  void be_due();
  void run_tick();
  void start_reload();
  void run_reload();

  boost::asio::io_context& io_;
  LeaderFollowers& threads_;
  Scraper& scraper_;
  SelfMetrics& self_;
  std::chrono::nanoseconds sample_interval_;
  boost::asio::steady_timer next_tick_;
  Clock::time_point last_tick_{};
  PagePool pool_;
  std::vector<std::shared_ptr<Ticket>> waiting_;  // for the next pass
  std::shared_ptr<Job> begun_;                    // that gave way to a tick while it waits
  bool is_working_ = false;
  bool is_tick_due_ = false;
  std::vector<std::function<void()>> wanting_reload_;
  Reports reports_;
  std::function<void()> stopped_;
};

}  // namespace exporter
