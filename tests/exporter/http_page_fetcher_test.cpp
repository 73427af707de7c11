#include "exporter/http_page_fetcher.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <thread>

#include "http/server.hpp"

using collectors::FetchAnswer;
using collectors::FetchedPage;
using collectors::FetchFailure;
using exporter::HttpPageFetcher;
using procfs::Clock;
using std::chrono::milliseconds;
using Why = collectors::FetchFailure::Why;

namespace {

/// Serves, in a thread of its own: a page at /metrics, and what it was asked with at /fields.
class PageServer {
 public:
  PageServer()
      : server_(
            io_, {}, [](const http::Request& request) { return answer(request); },
            [](http::Event) {}) {
    port_ = server_.listen("127.0.0.1:0").front().port();
    thread_ = std::thread([this] { io_.run(); });
  }
  PageServer(const PageServer&) = delete;
  PageServer& operator=(const PageServer&) = delete;
  ~PageServer() {
    io_.stop();
    thread_.join();
  }
  [[nodiscard]] collectors::PageAddress at(std::string target) const {
    return {"127.0.0.1", port_, std::move(target)};
  }

 private:
  static boost::asio::awaitable<http::Response> answer(const http::Request& request) {
    std::string text;
    for (const auto& [name, value] : request.fields) {
      text.append(name).append(": ").append(value).append("\n");
    }
    if (request.target == "/fields") co_return http::text_response(200, text);
    if (request.target == "/large") co_return http::text_response(200, std::string(1'000'000, 'x'));
    co_return http::text_response(request.target == "/metrics" ? 200 : 404, "a 1\n");
  }

  boost::asio::io_context io_;
  http::Server server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

/// Accepts, as the kernel does for a socket that listens, and never answers.
class SilentServer {
 public:
  SilentServer() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(fd_, generic, size) == 0);
    REQUIRE(::listen(fd_, 8) == 0);
    REQUIRE(::getsockname(fd_, generic, &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  ~SilentServer() { ::close(fd_); }
  [[nodiscard]] collectors::PageAddress address() const { return {"127.0.0.1", port_, "/"}; }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

collectors::PageFetcher::Limits within(milliseconds time, std::size_t bytes = 1 << 20) {
  return {.deadline = Clock::now() + time, .page_bytes = bytes};
}

FetchedPage page_of(const FetchAnswer& answer) {
  if (const auto* failure = std::get_if<FetchFailure>(&answer.result)) FAIL(failure->detail);
  return std::get<FetchedPage>(answer.result);
}

Why why_of(const FetchAnswer& answer) {
  REQUIRE(std::holds_alternative<FetchFailure>(answer.result));
  return std::get<FetchFailure>(answer.result).why;
}

}  // namespace

TEST_CASE("a page is fetched while others work, and handed over when it is asked for") {
  const PageServer server;
  HttpPageFetcher fetcher;
  const auto page = fetcher.begin(server.at("/metrics"), within(milliseconds(5000)));
  const auto fields = fetcher.begin(server.at("/fields"), within(milliseconds(5000)));
  const auto missing = fetcher.begin(server.at("/nothing"), within(milliseconds(5000)));
  CHECK(page_of(missing->wait()).status == 404);
  const auto answer = page->wait();
  CHECK(page_of(answer).status == 200);
  CHECK(page_of(answer).content_type == "text/plain; charset=utf-8");
  CHECK(page_of(answer).text == "a 1\n");
  CHECK(answer.duration.count() > 0);
  const auto sent = page_of(fields->wait()).text;
  CHECK_THAT(sent, Catch::Contains("Accept: text/plain;version=0.0.4,"));
  CHECK_THAT(sent, Catch::Contains("User-Agent: resource_exporter/"));
  CHECK_THAT(sent, Catch::Contains("X-Prometheus-Scrape-Timeout-Seconds: 4.9") ||
                       Catch::Contains("X-Prometheus-Scrape-Timeout-Seconds: 5.0"));
}

TEST_CASE("an upstream that is silent costs the time it was given, and no other any") {
  const PageServer server;
  const SilentServer silent;
  HttpPageFetcher fetcher;
  const auto begin = Clock::now();
  const auto late = fetcher.begin(silent.address(), within(milliseconds(200)));
  const auto good = fetcher.begin(server.at("/metrics"), within(milliseconds(5000)));
  CHECK(page_of(good->wait()).text == "a 1\n");
  const auto answer = late->wait();
  CHECK(why_of(answer) == Why::timeout);
  CHECK(answer.duration >= milliseconds(150));
  CHECK(Clock::now() - begin < std::chrono::seconds(4));
}

TEST_CASE("a page over its limit and a port where nobody is are failures") {
  const PageServer server;
  HttpPageFetcher fetcher;
  const auto large = fetcher.begin(server.at("/large"), within(milliseconds(5000), 999'999));
  CHECK(why_of(large->wait()) == Why::too_large);
  std::uint16_t port = 0;
  {
    const SilentServer gone;
    port = gone.address().port;
  }
  const auto nobody = fetcher.begin({"127.0.0.1", port, "/"}, within(milliseconds(5000)));
  CHECK(why_of(nobody->wait()) == Why::unreachable);
}

TEST_CASE("what nobody waits for any more harms nobody") {
  const PageServer server;
  const SilentServer silent;
  HttpPageFetcher fetcher;
  for (int i = 0; i < 20; ++i) {
    fetcher.begin(server.at("/metrics"), within(milliseconds(5000)));
    fetcher.begin(silent.address(), within(milliseconds(1)));
  }
  CHECK(page_of(fetcher.begin(server.at("/metrics"), within(milliseconds(5000)))->wait()).text ==
        "a 1\n");
}

TEST_CASE("the end of the fetcher waits for no upstream") {
  const SilentServer silent;
  std::unique_ptr<collectors::PendingPage> pending;
  const auto begin = Clock::now();
  {
    HttpPageFetcher fetcher;
    pending = fetcher.begin(silent.address(), within(std::chrono::seconds(60)));
  }
  CHECK(Clock::now() - begin < std::chrono::seconds(10));
}
