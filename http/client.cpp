#include "http/client.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

namespace http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using beast::error_code;
using Code = ClientError::Code;
using Clock = std::chrono::steady_clock;
using ClientMessage = beast::http::request<beast::http::string_body>;
using AnswerParser = beast::http::response_parser<beast::http::string_body>;
using Endpoints = std::vector<tcp::endpoint>;

constexpr auto kAsValues = asio::as_tuple(asio::use_awaitable);

/// The connection and its deadline.
struct Exchange {
  explicit Exchange(const asio::any_io_executor& io) : socket(io), alarm(io) {}

  tcp::socket socket;
  asio::steady_timer alarm;
  bool is_connected = false;
  bool is_late = false;  // the socket is closed
};

std::shared_ptr<Exchange> make_exchange(const asio::any_io_executor& io,
                                        Clock::time_point deadline) {
  auto exchange = std::make_shared<Exchange>(io);
  exchange->alarm.expires_at(deadline);
  exchange->alarm.async_wait([weak = std::weak_ptr(exchange)](error_code cancelled) {
    const auto late = weak.lock();
    if (cancelled || late == nullptr) return;
    late->is_late = true;
    error_code ignored;
    late->socket.close(ignored);
  });
  return exchange;
}

ClientError failure(const Exchange& exchange, Code code, const error_code& error) {
  const bool was_sent = exchange.is_connected;
  if (exchange.is_late) return {Code::deadline, "no complete answer in time", was_sent};
  return {code, error.message(), was_sent};
}

/// What would end a line of the header, or a word of its first line, before its end.
bool can_be_sent(const ClientRequest& request) {
  const auto is_control = [](char c) { return (c >= '\0' && c < ' ') || c == '\x7F'; };
  const auto is_line = [&](std::string_view text) {
    return std::none_of(text.begin(), text.end(), is_control);
  };
  const auto is_word = [&](std::string_view text) {
    return !text.empty() && is_line(text) && text.find(' ') == std::string_view::npos;
  };
  return is_word(request.method) && is_word(request.host) && is_word(request.target) &&
         request.target.front() == '/' &&
         std::all_of(request.fields.begin(), request.fields.end(), [&](const ClientField& field) {
           return is_word(field.name) && field.name.find(':') == std::string::npos &&
                  is_line(field.value);
         });
}

ClientMessage make_message(ClientRequest request) {
  constexpr unsigned kVersion = 11;
  constexpr std::uint16_t kDefaultPort = 80;
  ClientMessage message;
  message.version(kVersion);
  message.method_string(request.method);
  message.target(request.target);
  const bool is_v6 = request.host.find(':') != std::string::npos;
  auto host = is_v6 ? "[" + request.host + "]" : request.host;
  if (request.port != kDefaultPort) host += ":" + std::to_string(request.port);
  message.set(beast::http::field::host, host);
  for (const auto& field : request.fields) message.set(field.name, field.value);
  message.keep_alive(false);
  message.body() = std::move(request.body);
  message.prepare_payload();
  return message;
}

/// The addresses that need nobody to ask; none for another name.
Endpoints known_addresses(const std::string& host, std::uint16_t port) {
  error_code no_address;
  const auto address = asio::ip::make_address(host, no_address);
  if (!no_address) return {{address, port}};
  if (host != "localhost") return {};
  return {{asio::ip::address_v4::loopback(), port}, {asio::ip::address_v6::loopback(), port}};
}

/// Asks the system, and leaves it alone at the deadline: it cannot be stopped.
asio::awaitable<Endpoints> look_up(asio::any_io_executor io, std::string host, std::uint16_t port,
                                   Clock::time_point deadline) {
  struct Search {
    explicit Search(const asio::any_io_executor& executor) : resolver(executor), end(executor) {}
    tcp::resolver resolver;
    asio::steady_timer end;
    Endpoints found;
  };
  const auto search = std::make_shared<Search>(io);
  search->end.expires_at(deadline);
  search->resolver.async_resolve(
      host, std::to_string(port),
      [search](const error_code& error, const tcp::resolver::results_type& results) {
        for (const auto& entry : results) {
          if (!error) search->found.push_back(entry.endpoint());
        }
        search->end.expires_at(Clock::time_point::min());
      });
  co_await search->end.async_wait(kAsValues);
  search->resolver.cancel();
  co_return std::move(search->found);
}

/// The error of the last address that was tried.
asio::awaitable<error_code> connect(std::shared_ptr<Exchange> exchange, Endpoints addresses) {
  error_code error;
  for (const auto& address : addresses) {
    error_code ignored;
    exchange->socket.close(ignored);
    std::tie(error) = co_await exchange->socket.async_connect(address, kAsValues);
    if (!error || exchange->is_late) break;
  }
  if (!error && exchange->is_late) error = asio::error::operation_aborted;
  if (!error) exchange->socket.set_option(tcp::no_delay(true), error);
  co_return error;
}

Code code_of(const error_code& error) {
  using Reading = beast::http::error;
  for (const auto over : {Reading::body_limit, Reading::header_limit, Reading::buffer_overflow}) {
    if (error == over) return Code::too_large;
  }
  for (const auto cut : {Reading::end_of_stream, Reading::partial_message}) {
    if (error == cut) return Code::disconnected;
  }
  const bool is_of_system = error.category() == asio::error::get_system_category() ||
                            error.category() == asio::error::get_misc_category();
  return is_of_system ? Code::disconnected : Code::malformed;
}

/// Reads one answer; what is behind it stays in `buffer`. By hand and not by async_read(), so that
/// a server that always has more to say cannot keep the deadline from being looked at.
asio::awaitable<error_code> receive(std::shared_ptr<Exchange> exchange, beast::flat_buffer& buffer,
                                    AnswerParser& parser) {
  error_code error;
  while (!error && !parser.is_done()) {
    std::tie(error, std::ignore) =
        co_await beast::http::async_read_some(exchange->socket, buffer, parser, kAsValues);
    if (!error && Clock::now() > exchange->alarm.expiry()) {
      exchange->is_late = true;
      error = asio::error::operation_aborted;
    }
  }
  co_return error;
}

asio::awaitable<ClientResult> receive_final(std::shared_ptr<Exchange> exchange, ClientLimits limits,
                                            bool is_to_head) {
  constexpr std::size_t kBodyBufferBytes = 65536;
  constexpr unsigned kFirstFinalStatus = 200;
  const auto header_bytes = static_cast<std::uint32_t>(
      std::min<std::size_t>(limits.header_bytes, std::numeric_limits<std::uint32_t>::max()));
  beast::flat_buffer buffer(limits.header_bytes + kBodyBufferBytes);
  for (;;) {
    AnswerParser parser;
    parser.header_limit(header_bytes);
    parser.body_limit(limits.body_bytes);
    parser.skip(is_to_head);
    const auto error = co_await receive(exchange, buffer, parser);
    if (error) co_return failure(*exchange, code_of(error), error);
    auto message = parser.release();
    if (message.result_int() < kFirstFinalStatus) continue;  // such as 103 Early Hints
    ClientResponse response;
    response.status = message.result_int();
    response.content_type = std::string(message[beast::http::field::content_type]);
    response.body = std::move(message.body());
    co_return response;
  }
}

asio::awaitable<ClientResult> send_until(ClientRequest request, ClientLimits limits,
                                         Clock::time_point deadline) {
  if (!can_be_sent(request)) {
    co_return ClientError{Code::bad_request, "the request has a character that it must not have"};
  }
  const asio::any_io_executor io = co_await asio::this_coro::executor;
  const auto exchange = make_exchange(io, deadline);
  auto addresses = known_addresses(request.host, request.port);
  if (addresses.empty()) addresses = co_await look_up(io, request.host, request.port, deadline);
  // When the alarm has gone off, connecting would open the socket again, and nobody would close it.
  exchange->is_late = exchange->is_late || Clock::now() >= deadline;
  if (exchange->is_late || addresses.empty()) {
    co_return failure(*exchange, Code::unresolved, asio::error::host_not_found);
  }
  const auto error = co_await connect(exchange, std::move(addresses));
  if (error) co_return failure(*exchange, Code::unreachable, error);
  exchange->is_connected = true;
  const bool is_to_head = request.method == "HEAD";
  const auto message = make_message(std::move(request));
  // A server may answer, and close, without having read all: its answer tells more than the error.
  co_await beast::http::async_write(exchange->socket, message, kAsValues);
  co_return co_await receive_final(exchange, limits, is_to_head);
}

}  // namespace

asio::awaitable<ClientResult> send_request(ClientRequest request, ClientLimits limits) {
  const auto deadline = Clock::now() + limits.deadline;
  return send_until(std::move(request), limits, deadline);
}

}  // namespace http
