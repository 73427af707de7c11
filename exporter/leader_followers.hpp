#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace exporter {

/// An event loop and two threads that take turns at it (the leader/followers pattern of POSA2). The
/// leader runs the handlers, and long work too, because handing work to another thread costs more
/// than a small pass of the collectors: waking a CPU takes up to 0.1 ms on a virtual machine. When
/// work takes longer than `patience`, or for ever, the follower takes the loop over, so that the
/// daemon goes on answering; the old leader follows when its work is done.
///
/// So handlers never run side by side and need no mutex; only what `work` touches is used while
/// handlers run.
class LeaderFollowers {
 public:
  using Clock = std::chrono::steady_clock;

  /// `io` must outlive it, and must not have been made for a single thread. Throws
  /// std::system_error when the kernel has no timer for it.
  LeaderFollowers(boost::asio::io_context& io, std::chrono::nanoseconds patience);
  LeaderFollowers(const LeaderFollowers&) = delete;
  LeaderFollowers& operator=(const LeaderFollowers&) = delete;
  LeaderFollowers(LeaderFollowers&&) = delete;
  LeaderFollowers& operator=(LeaderFollowers&&) = delete;
  ~LeaderFollowers();

  /// Runs the handlers of `io`, on this thread or on a second one, until `io` is stopped and the
  /// work under way is done. Once.
  void run();

  /// Runs `work` at once, and then `done` as a handler. Only in a handler, one at a time, and the
  /// handler must return at once afterwards: another one may be running. `work` is noexcept.
  template <class Work, class Done>
  void perform(Work work, Done done) {
    static_assert(std::is_nothrow_invocable_v<Work&>, "or two threads would lead from then on");
    begin_work();
    work();
    if (still_leads()) {
      done();
    } else {
      // Without `done` nothing would ever be begun again: better to end than to go on deaf.
      // NOLINTNEXTLINE(bugprone-exception-escape)
      [&]() noexcept { boost::asio::post(io_, std::move(done)); }();
    }
  }

 private:
  enum class State : std::uint8_t { leading, working, relieved };

  void begin_work();
  bool still_leads();
  void take_turns();
  void lead();
  bool follow();
  void set_timer(std::chrono::nanoseconds time) const;

  boost::asio::io_context& io_;
  std::chrono::nanoseconds patience_;
  int timer_ = -1;  // goes off when the leader has been working for too long, or io_ is stopped
  std::atomic<State> state_ = State::leading;
};

}  // namespace exporter
