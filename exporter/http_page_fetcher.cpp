#include "exporter/http_page_fetcher.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <future>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "exporter/version.hpp"
#include "http/client.hpp"
#include "service/log.hpp"

namespace exporter {
namespace {

namespace asio = boost::asio;
using collectors::FetchAnswer;
using collectors::FetchedPage;
using collectors::FetchFailure;
using procfs::Clock;
using service::LogLevel;

FetchFailure::Why why_of(http::ClientError::Code code) {
  using Code = http::ClientError::Code;
  switch (code) {
    case Code::unresolved:
    case Code::unreachable:
      return FetchFailure::Why::unreachable;
    case Code::deadline:
      return FetchFailure::Why::timeout;
    case Code::too_large:
      return FetchFailure::Why::too_large;
    case Code::bad_request:
    case Code::disconnected:
    case Code::malformed:
      break;
  }
  return FetchFailure::Why::protocol;
}

/// What the loop's thread hands to the one that waits.
class Mailbox {
 public:
  explicit Mailbox(Clock::time_point deadline) : deadline_(deadline) {}

  void deliver(const std::exception_ptr& failure, http::ClientResult result) {
    FetchAnswer answer;
    answer.duration = Clock::now() - begun_at_;
    if (failure) {
      answer.result = FetchFailure{FetchFailure::Why::protocol, "out of memory"};
    } else if (auto* error = std::get_if<http::ClientError>(&result)) {
      answer.result = FetchFailure{why_of(error->code), std::move(error->detail)};
    } else {
      auto& response = std::get<http::ClientResponse>(result);
      answer.result =
          FetchedPage{response.status, std::move(response.content_type), std::move(response.body)};
    }
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
    has_come_.notify_all();
  }

  bool wait_until(Clock::time_point until) {
    std::unique_lock lock(mutex_);
    const auto end = std::min(until, deadline_ + kGrace);
    has_come_.wait_until(lock, end, [this] { return answer_.has_value(); });
    return answer_.has_value() || Clock::now() >= deadline_ + kGrace;
  }

  FetchAnswer wait() {
    wait_until(Clock::time_point::max());
    const std::lock_guard lock(mutex_);
    if (answer_) return *std::exchange(answer_, std::nullopt);
    return {FetchFailure{FetchFailure::Why::timeout, "no answer in time"},
            Clock::now() - begun_at_};
  }

 private:
  // The client keeps the deadline itself; this is for a host so busy that its thread does not run.
  static constexpr std::chrono::milliseconds kGrace{50};

  Clock::time_point begun_at_ = Clock::now();
  Clock::time_point deadline_;
  std::mutex mutex_;
  std::condition_variable has_come_;
  std::optional<FetchAnswer> answer_;
};

class PendingHttpPage final : public collectors::PendingPage {
 public:
  explicit PendingHttpPage(std::shared_ptr<Mailbox> mailbox) : mailbox_(std::move(mailbox)) {}
  bool wait_until(Clock::time_point until) override { return mailbox_->wait_until(until); }
  FetchAnswer wait() override { return mailbox_->wait(); }

 private:
  std::shared_ptr<Mailbox> mailbox_;
};

/// One that could not be begun.
class UnbegunPage final : public collectors::PendingPage {
 public:
  explicit UnbegunPage(std::string problem) : problem_(std::move(problem)) {}
  bool wait_until(Clock::time_point /*until*/) override { return true; }
  FetchAnswer wait() override {
    FetchAnswer answer;
    answer.result = FetchFailure{FetchFailure::Why::unreachable, problem_};
    return answer;
  }

 private:
  std::string problem_;
};

http::ClientRequest make_request(const collectors::PageAddress& address,
                                 std::chrono::milliseconds time) {
  constexpr double kMillisecondsPerSecond = 1000;
  const auto seconds = static_cast<double>(time.count()) / kMillisecondsPerSecond;
  http::ClientRequest request;
  request.host = address.host;
  request.port = address.port;
  request.target = address.target;
  request.fields = {
      {"User-Agent", "resource_exporter/" + std::string(kVersion)},
      {"Via", std::string(kVia)},
      {"Accept", "text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5"},
      {"Accept-Encoding", "identity"},
      {"X-Prometheus-Scrape-Timeout-Seconds", std::to_string(seconds)}};
  return request;
}

}  // namespace

/// The loop ends in its own thread: its end waits for a name that is being looked up.
class HttpPageFetcher::Worker {
 public:
  Worker() {
    std::promise<void> ended;
    ended_ = ended.get_future();
    thread_ = std::thread(
        [loop = loop_, released = released_.get_future(), ended = std::move(ended)]() mutable {
          run(*loop);
          released.wait();
          loop.reset();
          ended.set_value();
        });
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  Worker(Worker&&) = delete;
  Worker& operator=(Worker&&) = delete;
  ~Worker() {
    constexpr std::chrono::milliseconds kPatience{100};
    loop_->io.stop();
    loop_.reset();
    released_.set_value();
    if (ended_.wait_for(kPatience) == std::future_status::ready) {
      thread_.join();
    } else {
      thread_.detach();
    }
  }

  std::shared_ptr<Mailbox> fetch(http::ClientRequest request, Clock::time_point deadline,
                                 http::ClientLimits limits) {
    auto mailbox = std::make_shared<Mailbox>(deadline);
    asio::co_spawn(loop_->io, http::send_request(std::move(request), limits),
                   [mailbox](const std::exception_ptr& failure, http::ClientResult result) {
                     mailbox->deliver(failure, std::move(result));
                   });
    return mailbox;
  }

 private:
  struct Loop {
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  };

  static void run(Loop& loop) {
    while (!loop.io.stopped()) {
      try {
        loop.io.run();
      } catch (const std::exception& error) {
        service::log(LogLevel::error, "unexpected failure; going on", {{"problem", error.what()}});
      }
    }
  }

  std::shared_ptr<Loop> loop_ = std::make_shared<Loop>();
  std::promise<void> released_;
  std::future<void> ended_;
  std::thread thread_;
};

HttpPageFetcher::HttpPageFetcher() = default;
HttpPageFetcher::~HttpPageFetcher() = default;

std::unique_ptr<collectors::PendingPage> HttpPageFetcher::begin(
    const collectors::PageAddress& address, Limits limits) {
  auto& worker = workers_[address.host + ' ' + std::to_string(address.port)];
  try {
    if (worker == nullptr) worker = std::make_unique<Worker>();
  } catch (const std::system_error& error) {  // no thread to be had; other addresses have theirs
    return std::make_unique<UnbegunPage>(error.what());
  }
  const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::max(limits.deadline - Clock::now(), Clock::duration::zero()));
  http::ClientLimits client_limits;
  client_limits.deadline = time;
  client_limits.body_bytes = limits.page_bytes;
  auto mailbox = worker->fetch(make_request(address, time), limits.deadline, client_limits);
  return std::make_unique<PendingHttpPage>(std::move(mailbox));
}

}  // namespace exporter
