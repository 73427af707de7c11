#include "exporter/collector_thread.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "exporter/log.hpp"

namespace exporter {

namespace asio = boost::asio;

constexpr auto kReport = asio::as_tuple(asio::use_awaitable);

/// One waiting request; touched on the thread of `io` only.
struct CollectorThread::Ticket {
  Wish wish;
  asio::steady_timer timer;  // expires at the deadline, cancelled when the page is there
  std::shared_ptr<Pass> pass = nullptr;  // that will answer; none while it waits for its turn
};

/// What the collector thread is to do, and comes back when it is done. Without a pass: to end.
struct CollectorThread::Job {
  std::shared_ptr<Pass> pass = nullptr;
  std::vector<std::shared_ptr<Ticket>> tickets = {};
  Clock::time_point deadline = Clock::time_point::min();  // of the most patient ticket
};

CollectorThread::CollectorThread(asio::io_context& io, Scraper& scraper, SelfMetrics& self,
                                 std::chrono::nanoseconds sample_interval)
    : io_(io), scraper_(scraper), self_(self), done_readable_(io, done_.descriptor()) {
  asio::co_spawn(io_, deliver_forever(), asio::detached);
  thread_ = std::thread([this, sample_interval] { run(sample_interval); });
}

CollectorThread::~CollectorThread() {
  auto end = std::make_unique<Job>();
  to_do_.send(end);
  thread_.join();
  done_readable_.release();  // the descriptor is done_'s
}

void CollectorThread::stop(std::function<void()> stopped) {
  stopped_ = std::move(stopped);
  auto end = std::make_unique<Job>();
  to_do_.send(end);
}

std::shared_ptr<Pass> CollectorThread::make_pass() {
  return std::make_shared<Pass>(pool_, scraper_.names(), self_);
}

/// True when the next pass already makes as many different pages as it may. Without the limit a few
/// clients that each select other collectors would make everybody's pass long and its pages many.
bool CollectorThread::is_crowded(const Wish& wish) const {
  constexpr std::size_t kMaxPages = 8;
  std::vector<Wish> different = {};
  for (const auto& ticket : waiting_) {
    if (ticket->wish.makes_same_page(wish)) return false;
    const auto is_same = [&](const Wish& other) { return ticket->wish.makes_same_page(other); };
    if (std::none_of(different.begin(), different.end(), is_same)) {
      different.push_back(ticket->wish);
    }
  }
  return different.size() >= kMaxPages;
}

asio::awaitable<std::shared_ptr<const Page>> CollectorThread::scrape(Wish wish,
                                                                     Clock::duration budget) {
  const auto ticket =
      std::make_shared<Ticket>(Ticket{.wish = wish, .timer = asio::steady_timer(io_, budget)});
  if (is_crowded(wish)) co_return nullptr;
  waiting_.push_back(ticket);
  start_pass();
  co_await ticket->timer.async_wait(kReport);
  if (ticket->pass == nullptr) {  // the pass before is stuck: all collectors are late
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), ticket));
    ticket->pass = make_pass();
    ticket->pass->add(ticket->wish);
  }
  co_return ticket->pass->page(ticket->wish);
}

void CollectorThread::start_pass() {
  if (is_running_ || waiting_.empty()) return;
  auto job = std::make_unique<Job>();
  job->pass = make_pass();
  for (const auto& ticket : waiting_) {
    job->pass->add(ticket->wish);
    ticket->pass = job->pass;
    job->deadline = std::max(job->deadline, ticket->timer.expiry());
  }
  job->tickets = std::exchange(waiting_, {});
  is_running_ = to_do_.send(job);  // always: no more than two jobs are under way
}

asio::awaitable<void> CollectorThread::deliver_forever() {
  while (done_readable_.is_open()) {
    const auto [error] =
        co_await done_readable_.async_wait(asio::posix::stream_descriptor::wait_read, kReport);
    if (error) co_return;
    try {
      if (const auto job = done_.receive()) deliver(*job);
    } catch (const std::exception& problem) {
      log(LogLevel::error, "delivery failed", {{"problem", problem.what()}});
    }
  }
}

void CollectorThread::deliver(const Job& job) {
  if (job.pass == nullptr) {
    if (stopped_) stopped_();
    return;
  }
  is_running_ = false;
  for (const auto& ticket : job.tickets) ticket->timer.cancel();
  start_pass();
  // A pass for some collectors says nothing of the others.
  const auto reports = job.pass->reports();
  for (std::size_t i = 0; i < reports.size(); ++i) {
    if (reports[i].status != Status::waiting) reports_[i] = reports[i];
  }
}

/// The collector thread's life.
void CollectorThread::run(std::chrono::nanoseconds interval) {
  for (auto next_tick = Clock::now();;) {
    to_do_.wait(next_tick - Clock::now());
    if (Clock::now() >= next_tick) {
      scraper_.tick(Clock::now());
      const auto now = Clock::now();
      last_tick_.store(now);
      // Late ticks are left out, not made up for: the next one comes on its own beat.
      while (next_tick <= now) next_tick += interval;
    }
    auto job = to_do_.receive();
    if (job == nullptr) continue;
    const bool is_last = job->pass == nullptr;
    if (!is_last) run_pass(*job);
    done_.send(job);
    if (is_last) return;
  }
}

void CollectorThread::run_pass(const Job& job) {
  const auto start = Clock::now();
  try {
    scraper_.run(*job.pass, job.deadline);
  } catch (const std::exception& error) {
    job.pass->fail();
    log(LogLevel::error, "pass failed", {{"problem", error.what()}});
  }
  self_.observe_pass(Clock::now() - start);
}

}  // namespace exporter
