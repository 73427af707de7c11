#include "exporter/leader_followers.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <system_error>
#include <thread>

#include "service/log.hpp"

namespace exporter {
namespace {

using service::LogLevel;

// The two threads must never both believe it, which one shared variable could not tell between the
// moment that work is given up and the moment that the other thread begins to lead.
thread_local bool is_leader = false;

}  // namespace

LeaderFollowers::LeaderFollowers(boost::asio::io_context& io, std::chrono::nanoseconds patience)
    : io_(io), patience_(patience), timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)) {
  if (timer_ < 0) throw std::system_error(errno, std::generic_category(), "timerfd_create");
}

LeaderFollowers::~LeaderFollowers() { ::close(timer_); }

void LeaderFollowers::run() {
  std::thread second([this] { take_turns(); });
  is_leader = true;
  take_turns();
  second.join();
}

void LeaderFollowers::take_turns() {
  do {
    lead();
  } while (follow());
}

void LeaderFollowers::lead() {
  while (is_leader && !io_.stopped()) {
    try {
      io_.run_one();
    } catch (const std::exception& error) {
      service::log(LogLevel::error, "unexpected failure; going on", {{"problem", error.what()}});
    }
  }
  if (io_.stopped()) set_timer(std::chrono::nanoseconds(1));
}

/// Waits until this thread is to lead; false when there is nothing to lead any more.
bool LeaderFollowers::follow() {
  for (;;) {
    if (io_.stopped()) return false;
    std::uint64_t expirations = 0;
    if (::read(timer_, &expirations, sizeof expirations) < 0) continue;  // a signal
    auto expected = State::working;
    if (state_.compare_exchange_strong(expected, State::relieved)) {
      is_leader = true;
      return true;
    }
  }
}

void LeaderFollowers::begin_work() {
  state_ = State::working;
  set_timer(patience_);
}

bool LeaderFollowers::still_leads() {
  auto expected = State::working;
  if (state_.compare_exchange_strong(expected, State::leading)) {
    set_timer(std::chrono::nanoseconds(0));  // off
    return true;
  }
  is_leader = false;
  state_ = State::leading;  // the other thread
  return false;
}

void LeaderFollowers::set_timer(std::chrono::nanoseconds time) const {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(time);
  const itimerspec at = {.it_interval = {}, .it_value = {whole.count(), (time - whole).count()}};
  ::timerfd_settime(timer_, 0, &at, nullptr);
}

}  // namespace exporter
