#include "exporter/pass_scheduler.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <ctime>
#include <utility>

#include "service/log.hpp"

namespace exporter {

namespace asio = boost::asio;

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

namespace {

std::chrono::nanoseconds thread_cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);  // fails only for a bad pointer
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

/// One waiting request.
struct PassScheduler::Ticket {
  Wish wish;
  asio::steady_timer timer;  // expires at the deadline, cancelled when the page is there
  std::shared_ptr<Pass> pass = nullptr;  // that will answer; none while it waits for its turn
};

struct PassScheduler::Job {
  std::shared_ptr<Pass> pass;
  std::vector<std::shared_ptr<Ticket>> tickets;
  Clock::time_point deadline = Clock::time_point::min();  // of the most patient ticket
  Clock::time_point begun_at = {};                        // the epoch before
  bool is_complete = false;
};

PassScheduler::PassScheduler(asio::io_context& io, LeaderFollowers& threads, Scraper& scraper,
                             SelfMetrics& self, std::chrono::nanoseconds sample_interval)
    : io_(io),
      threads_(threads),
      scraper_(scraper),
      self_(self),
      sample_interval_(sample_interval),
      next_tick_(io, Clock::now()),
      reports_(scraper.names().size()) {
  wait_for_tick();
}

void PassScheduler::stop(std::function<void()> stopped) {
  stopped_ = std::move(stopped);
  next_tick_.cancel();
  if (!is_working_) stopped_();  // A pass that waits is being worked on, or a tick is.
}

void PassScheduler::reload(std::function<void()> done) {
  wanting_reload_.push_back(std::move(done));
  start_reload();
}

std::shared_ptr<Pass> PassScheduler::make_pass() {
  return std::make_shared<Pass>(pool_, scraper_.names(), self_);
}

/// True when the next pass already makes as many different pages as it may. Without the limit a few
/// clients that each select other collectors would make everybody's pass long and its pages many.
bool PassScheduler::is_crowded(const Wish& wish) const {
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

asio::awaitable<std::shared_ptr<const Page>> PassScheduler::scrape(Wish wish,
                                                                   Clock::duration budget) {
  const auto ticket =
      std::make_shared<Ticket>(Ticket{.wish = wish, .timer = asio::steady_timer(io_, budget)});
  if (is_crowded(wish)) co_return nullptr;
  waiting_.push_back(ticket);
  start_pass();
  co_await ticket->timer.async_wait(kAsTuple);
  if (ticket->pass == nullptr) {  // the work before is stuck: all collectors are late
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), ticket));
    ticket->pass = make_pass();
    ticket->pass->add(ticket->wish);
  }
  co_return ticket->pass->page(ticket->wish);
}

/// In a handler of its own, after those of the requests that came together with this one: they will
/// share the pass.
void PassScheduler::start_pass() {
  const bool is_wanted = !waiting_.empty() && !stopped_;
  if (is_working_ || (begun_ == nullptr && !is_wanted)) return;
  asio::post(io_, [this] {
    is_working_ = false;  // should there be no memory for the job, the next request tries again
    const auto job = begun_ != nullptr ? std::exchange(begun_, nullptr) : take_job();
    is_working_ = true;
    const auto until = stopped_ ? Clock::time_point::max() : next_tick_.expiry();
    threads_.perform([this, job, until]() noexcept { work_on(*job, until); },
                     [this, job] { go_on(job); });
  });
  is_working_ = true;
}

std::shared_ptr<PassScheduler::Job> PassScheduler::take_job() {
  auto job = std::make_shared<Job>();
  job->pass = make_pass();
  for (const auto& ticket : waiting_) {
    job->pass->add(ticket->wish);
    job->deadline = std::max(job->deadline, ticket->timer.expiry());
  }
  for (const auto& ticket : waiting_) ticket->pass = job->pass;
  job->tickets = std::exchange(waiting_, {});
  return job;
}

void PassScheduler::work_on(Job& job, Clock::time_point until) {
  try {
    if (job.begun_at == Clock::time_point{}) {
      job.begun_at = Clock::now();
      scraper_.begin(*job.pass, job.deadline);
    }
    job.is_complete = scraper_.work_on(*job.pass, job.deadline, until);
  } catch (const std::exception& error) {
    job.pass->fail();
    job.is_complete = true;
    service::log(service::LogLevel::error, "pass failed", {{"problem", error.what()}});
  }
  if (job.is_complete) self_.observe_pass(Clock::now() - job.begun_at);
}

void PassScheduler::go_on(const std::shared_ptr<Job>& job) {
  if (job->is_complete) return deliver(*job);
  begun_ = job;
  is_working_ = false;
  start_tick();
  start_pass();
}

void PassScheduler::deliver(const Job& job) {
  for (const auto& ticket : job.tickets) ticket->timer.cancel();
  is_working_ = false;
  start_tick();  // first, or those who ask again and again would leave none to it
  start_reload();
  start_pass();
  // A pass for some collectors says nothing of the others.
  auto reports = job.pass->reports();
  for (std::size_t i = 0; i < reports.size(); ++i) {
    if (reports[i].status != Status::waiting) reports_[i] = std::move(reports[i]);
  }
  end_if_stopped();
}

void PassScheduler::end_if_stopped() {
  if (stopped_ && begun_ == nullptr) stopped_();
}

/// Without it no tick would ever come again: better to end.
// NOLINTNEXTLINE(bugprone-exception-escape)
void PassScheduler::wait_for_tick() noexcept {
  next_tick_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) be_due();
  });
}

/// A tick that falls into a pass comes after it; those that fall into the same one are one.
void PassScheduler::be_due() {
  const auto now = Clock::now();
  auto next = next_tick_.expiry();
  while (next <= now) next += sample_interval_;
  next_tick_.expires_at(next);
  wait_for_tick();
  is_tick_due_ = true;
  start_tick();
}

void PassScheduler::start_tick() {
  if (is_working_ || !is_tick_due_ || stopped_) return;
  asio::post(io_, [this] {
    threads_.perform([this]() noexcept { run_tick(); },
                     [this] {
                       last_tick_ = Clock::now();
                       is_working_ = false;
                       start_reload();
                       start_pass();
                       start_tick();
                       end_if_stopped();
                     });
  });
  is_tick_due_ = false;
  is_working_ = true;
}

void PassScheduler::start_reload() {
  if (is_working_ || wanting_reload_.empty() || stopped_) return;
  asio::post(io_, [this] {
    is_working_ = false;  // as in start_pass()
    const auto served = std::make_shared<std::vector<std::function<void()>>>();
    served->swap(wanting_reload_);
    is_working_ = true;
    threads_.perform([this]() noexcept { run_reload(); },
                     [this, served] {
                       is_working_ = false;
                       start_tick();
                       start_pass();
                       start_reload();
                       for (const auto& done : *served) done();
                       end_if_stopped();
                     });
  });
  is_working_ = true;
}

void PassScheduler::run_reload() {
  try {
    self_.observe_reload(scraper_.reload());
  } catch (const std::exception& error) {
    service::log(service::LogLevel::error, "reload failed", {{"problem", error.what()}});
  }
}

void PassScheduler::run_tick() {
  const auto before = thread_cpu_time();
  scraper_.tick(Clock::now());
  self_.observe_tick(thread_cpu_time() - before);
}

}  // namespace exporter
