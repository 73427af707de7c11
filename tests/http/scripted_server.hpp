// A server that says what a test wants, and a request to it.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "http/client.hpp"

namespace tests {

namespace asio = boost::asio;

inline constexpr auto kValues = asio::as_tuple(asio::use_awaitable);

inline http::ClientRequest request_for(std::uint16_t port, std::string target = "/") {
  return {.host = "127.0.0.1", .port = port, .target = std::move(target)};
}

/// What becomes of `request`, while everything in `io` runs.
inline http::ClientResult send_in(asio::io_context& io, http::ClientRequest request,
                                  http::ClientLimits limits = {}) {
  std::optional<http::ClientResult> result;
  std::exception_ptr thrown;
  asio::co_spawn(io, http::send_request(std::move(request), limits),
                 [&](std::exception_ptr error, http::ClientResult value) {
                   thrown = error;
                   result = std::move(value);
                 });
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!result && std::chrono::steady_clock::now() < end) {
    io.restart();
    io.run_one_for(std::chrono::milliseconds(10));
  }
  if (thrown) std::rethrow_exception(thrown);
  REQUIRE(result);
  return *std::move(result);
}

/// Takes one connection, reads one header, and sends what a test wants, whatever was asked for.
class ScriptedServer {
 public:
  enum class Then : std::uint8_t { close, stay, repeat_last };

  ScriptedServer(std::vector<std::string> pieces, Then then,
                 std::chrono::milliseconds pause = std::chrono::milliseconds(0))
      : acceptor_(io_, {asio::ip::address_v4::loopback(), 0}), timer_(io_) {
    asio::co_spawn(io_, serve(std::move(pieces), then, pause), asio::detached);
  }

  http::ClientResult ask(http::ClientLimits limits = {}) {
    return send_in(io_, request_for(acceptor_.local_endpoint().port(), "/metrics?a=b"), limits);
  }
  [[nodiscard]] const std::string& request() const { return request_; }

 private:
  asio::awaitable<void> serve(std::vector<std::string> pieces, Then then,
                              std::chrono::milliseconds pause) {
    auto [error, socket] = co_await acceptor_.async_accept(kValues);
    co_await asio::async_read_until(socket, asio::dynamic_buffer(request_), "\r\n\r\n", kValues);
    for (std::size_t i = 0; i < pieces.size() && !error; i += 1) {
      std::size_t sent = 0;
      std::tie(error, sent) = co_await asio::async_write(socket, asio::buffer(pieces[i]), kValues);
      timer_.expires_after(pause);
      if (pause.count() > 0) co_await timer_.async_wait(kValues);
      if (then == Then::repeat_last && i + 1 == pieces.size()) i -= 1;
    }
    std::string rest;
    if (then != Then::close && !error) {
      co_await asio::async_read_until(socket, asio::dynamic_buffer(rest), "never", kValues);
    }
  }

  asio::io_context io_{1};
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer timer_;
  std::string request_;
};

}  // namespace tests
