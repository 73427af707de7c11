#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "exporter/handover.hpp"
#include "exporter/pass.hpp"
#include "exporter/scraper.hpp"
#include "exporter/self_metrics.hpp"

namespace exporter {

/// The thread that owns the collectors: it ticks them, and runs passes one at a time. A request is
/// answered by a pass that began after it came; those that wait for the same pass share it, so
/// that at most one pass runs and one waits, however many ask.
class CollectorThread {
 public:
  /// `io` is where scrape() is called and completes; everything must outlive the thread.
  CollectorThread(boost::asio::io_context& io, Scraper& scraper, SelfMetrics& self,
                  std::chrono::nanoseconds sample_interval);
  CollectorThread(const CollectorThread&) = delete;
  CollectorThread& operator=(const CollectorThread&) = delete;
  CollectorThread(CollectorThread&&) = delete;
  CollectorThread& operator=(CollectorThread&&) = delete;
  /// Stops, and waits for the collector under way.
  ~CollectorThread();

  /// A page for `wish` after at most `budget`; collectors that are late are left out and flagged.
  /// Null when too many different pages are being asked for. Throws std::runtime_error when the
  /// pass failed as a whole.
  boost::asio::awaitable<std::shared_ptr<const Page>> scrape(Wish wish, Clock::duration budget);

  /// How each collector did when it last ran. On the thread of `io`.
  [[nodiscard]] const Reports& reports() const { return reports_; }
  [[nodiscard]] const CollectorNames& names() const { return scraper_.names(); }

  /// When the last tick ended; the epoch before the first. From any thread.
  [[nodiscard]] Clock::time_point last_tick() const { return last_tick_.load(); }

  /// Asks the thread to end, and calls `stopped` on the thread of `io` when it has. Never called if
  /// the kernel does not let go of a collector.
  void stop(std::function<void()> stopped);

 private:
  struct Ticket;
  struct Job;

  std::shared_ptr<Pass> make_pass();
  [[nodiscard]] bool is_crowded(const Wish& wish) const;
  void start_pass();
  void deliver(const Job& job);
  boost::asio::awaitable<void> deliver_forever();
  void run(std::chrono::nanoseconds interval);
  void run_pass(const Job& job);

  boost::asio::io_context& io_;
  Scraper& scraper_;
  SelfMetrics& self_;
  PagePool pool_;
  std::vector<std::shared_ptr<Ticket>> waiting_;  // for the next pass
  bool is_running_ = false;                       // a pass
  Reports reports_;
  std::function<void()> stopped_;
  std::atomic<Clock::time_point> last_tick_{};
  Handover<Job> to_do_;
  Handover<Job> done_;
  boost::asio::posix::stream_descriptor done_readable_;  // watches done_
  std::thread thread_;
};

}  // namespace exporter
