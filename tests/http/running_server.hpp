// A server with a small handler, run in the thread of the test while the test waits for something.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/server.hpp"
#include "tests/http/client.hpp"

namespace tests {

inline constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";

inline std::string get(std::string_view target, std::string_view fields = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n" + std::string(fields) +
         "\r\n";
}

/// `/` says "hello", `/large` much more, `/held` nothing until release(), `/throw` throws, `/echo`
/// says what was in the body, whatever the method.
class RunningServer {
 public:
  static constexpr std::size_t kLargeBytes = 16 << 20;  // more than any socket buffer takes

  explicit RunningServer(http::Limits limits = {}, const std::string& address = "127.0.0.1:0",
                         http::Refusal refusal = http::refuse_in_plain_text)
      : server_(std::make_unique<http::Server>(
            *io_, limits, [this](const http::Request& request) { return handle(request); },
            [this](http::Event event) { ++events_[event]; }, std::move(refusal))) {
    endpoints_ = server_->listen(address);
  }

  boost::asio::io_context& io() { return *io_; }
  http::Server& server() { return *server_; }
  [[nodiscard]] const boost::asio::ip::tcp::endpoint& endpoint() const {
    return endpoints_.front();
  }
  [[nodiscard]] int count(http::Event event) const {
    const auto found = events_.find(event);
    return found == events_.end() ? 0 : found->second;
  }
  /// The targets of the requests that came as far as the handler.
  [[nodiscard]] const std::vector<std::string>& handled() const { return handled_; }

  Client connect(Client::Options options = {}) { return {endpoint(), options}; }
  /// Connected, and served once already.
  Client connect_and_get() {
    auto client = connect();
    if (exchange(client, kGet).status != 200) throw std::runtime_error("no reply");
    return client;
  }

  /// Runs the server until `condition` holds; false when it does not come to that.
  template <class Condition>
  bool run_until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      io_->restart();
      io_->run_one_for(std::chrono::milliseconds(1));
    }
    return true;
  }
  /// The reply to `request`; status 0 when there is none.
  Reply exchange(Client& client, std::string_view request) {
    client.send(request);
    return reply_to(client, request.starts_with("HEAD "));
  }
  Reply reply_to(Client& client, bool is_to_head = false) {
    std::optional<Reply> reply;
    run_until([&] { return (reply = client.take_reply(is_to_head)) || client.receive(); });
    return reply.value_or(Reply{});
  }
  bool closes(Client& client) {
    return run_until([&] { return client.receive(); });
  }

  /// Lets the requests for /held go.
  void release() { held_->cancel(); }
  void destroy_server() { server_.reset(); }
  /// With everything that waits in it.
  void destroy_io() {
    held_.reset();
    io_.reset();
  }

 private:
  boost::asio::awaitable<http::Response> handle(const http::Request& request) {
    handled_.emplace_back(request.target);
    if (request.target == "/echo") {
      co_return http::text_response(200, std::string(request.body));
    }
    if (request.method != "GET" && request.method != "HEAD") {
      auto response = http::text_response(405, "no such method\n");
      response.allow = "GET, HEAD";
      co_return response;
    }
    if (request.target == "/") co_return http::text_response(200, "hello\n");
    if (request.target == "/agent") {
      co_return http::text_response(200, std::string(request.field("user-agent")));
    }
    if (request.target == "/large") {
      co_return http::text_response(200, std::string(kLargeBytes, '.'));
    }
    if (request.target == "/throw") throw std::runtime_error("as asked for");
    if (request.target == "/held") {
      co_await held_->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
      co_return http::text_response(200, "at last\n");
    }
    co_return http::text_response(404, "not here\n");
  }

  std::map<http::Event, int> events_;
  std::vector<std::string> handled_;
  std::unique_ptr<boost::asio::io_context> io_ = std::make_unique<boost::asio::io_context>(1);
  std::unique_ptr<boost::asio::steady_timer> held_ = std::make_unique<boost::asio::steady_timer>(
      *io_, boost::asio::steady_timer::time_point::max());
  std::unique_ptr<http::Server> server_;
  std::vector<boost::asio::ip::tcp::endpoint> endpoints_;
};

}  // namespace tests
