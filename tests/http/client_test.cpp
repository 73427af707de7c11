// The client against our own server, and against servers that no client should trust.
#include "http/client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <variant>

#include "tests/http/running_server.hpp"
#include "tests/http/scripted_server.hpp"

namespace asio = boost::asio;
using asio::ip::tcp;
using http::ClientError;
using http::ClientLimits;
using http::ClientRequest;
using http::ClientResponse;
using http::ClientResult;
using std::chrono::milliseconds;
using tests::kValues;
using tests::request_for;
using tests::ScriptedServer;
using tests::send_in;
using Code = http::ClientError::Code;

namespace {

constexpr milliseconds kClientDeadline{150};

ClientError error_of(const ClientResult& result) {
  REQUIRE(std::holds_alternative<ClientError>(result));
  return std::get<ClientError>(result);
}

Code code_of(const ClientResult& result) {
  const auto error = error_of(result);
  CHECK_FALSE(error.detail.empty());
  const bool is_of_answer = error.code == Code::disconnected || error.code == Code::malformed ||
                            error.code == Code::too_large;
  if (error.code != Code::deadline) CHECK(error.was_sent == is_of_answer);
  return error.code;
}

ClientResponse response_of(const ClientResult& result) {
  if (const auto* error = std::get_if<ClientError>(&result)) FAIL(error->detail);
  return std::get<ClientResponse>(result);
}

using Then = ScriptedServer::Then;

}  // namespace

TEST_CASE("a page of our own server comes whole") {
  tests::RunningServer server;
  const auto port = server.endpoint().port();
  const auto hello = response_of(send_in(server.io(), request_for(port)));
  CHECK(hello.status == 200);
  CHECK(hello.content_type == "text/plain; charset=utf-8");
  CHECK(hello.body == "hello\n");
  CHECK(response_of(send_in(server.io(), request_for(port, "/none"))).status == 404);

  const auto size = tests::RunningServer::kLargeBytes;
  const auto large = request_for(port, "/large");
  CHECK(response_of(send_in(server.io(), large, {.body_bytes = size})).body.size() == size);
  CHECK(code_of(send_in(server.io(), large, {.body_bytes = size - 1})) == Code::too_large);

  auto head = request_for(port, "/large");
  head.method = "HEAD";
  CHECK(response_of(send_in(server.io(), head)).body.empty());
  auto named = request_for(port, "/agent");
  named.fields = {{"User-Agent", "a test"}};
  named.host = "localhost";
  CHECK(response_of(send_in(server.io(), named)).body == "a test");
}

TEST_CASE("a body is sent with its length, and fields as they are given") {
  asio::io_context io(1);
  tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
  std::string received;
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        auto [error, socket] = co_await acceptor.async_accept(kValues);
        co_await asio::async_read_until(socket, asio::dynamic_buffer(received), "}", kValues);
        const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        co_await asio::async_write(socket, asio::buffer(answer), kValues);
      },
      asio::detached);
  const auto port = acceptor.local_endpoint().port();
  auto request = request_for(port, "/prediction");
  request.method = "POST";
  request.fields = {{"Content-Type", "application/json"}};
  request.body = "{\"inputs\":[]}";
  CHECK(response_of(send_in(io, request)).body == "ok");
  CHECK_THAT(received, Catch::StartsWith("POST /prediction HTTP/1.1\r\n"));
  CHECK_THAT(received, Catch::Contains("Host: 127.0.0.1:" + std::to_string(port) + "\r\n"));
  CHECK_THAT(received, Catch::Contains("Content-Type: application/json\r\n"));
  CHECK_THAT(received, Catch::Contains("Content-Length: 13\r\n"));
  CHECK_THAT(received, Catch::Contains("Connection: close\r\n"));
  CHECK_THAT(received, Catch::EndsWith("\r\n\r\n{\"inputs\":[]}"));
}

TEST_CASE("every framing of a body is understood") {
  const auto [what, answer, body] = GENERATE(table<const char*, std::string, std::string>({
      {"a length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc"},
      {"more than the length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc", "ab"},
      {"to the end", "HTTP/1.1 200 OK\r\n\r\nabc", "abc"},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nabc", "abc"},
      {"chunks",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\n"
       "Trailer: t\r\n\r\n",
       "abc"},
      {"nothing", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""},
      {"no content", "HTTP/1.1 204 No Content\r\n\r\n", ""},
      {"an early answer before",
       "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\n\r\nabc", "abc"},
      {"a redirect", "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 3\r\n\r\nabc", "abc"},
  }));
  const bool in_single_bytes = GENERATE(false, true);
  INFO(what);
  std::vector<std::string> pieces = {answer};
  if (in_single_bytes) {
    pieces.clear();
    for (const char byte : answer) pieces.emplace_back(1, byte);
  }
  ScriptedServer server(pieces, Then::close);
  const auto response = response_of(server.ask());
  CHECK(response.body == body);
  CHECK_THAT(server.request(), Catch::StartsWith("GET /metrics?a=b HTTP/1.1\r\n"));
}

TEST_CASE("an answer that is no answer is an error, and says which") {
  using namespace std::string_literals;
  const auto large = std::string(40'000, 'a');
  const auto [what, answer, code] = GENERATE_COPY(table<const char*, std::string, Code>({
      {"nothing", "", Code::disconnected},
      {"half a header", "HTTP/1.1 200 OK\r\nContent-", Code::disconnected},
      {"less than the length", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc",
       Code::disconnected},
      {"half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
       Code::disconnected},
      {"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
       Code::disconnected},
      {"a length over the limit", "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
       Code::too_large},
      {"a length past 64 bits", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
       Code::malformed},
      {"a length below 0", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", Code::malformed},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
       Code::malformed},
      {"a chunk over the limit", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n",
       Code::too_large},
      {"a chunk past 64 bits",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
       Code::malformed},
      {"no chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", Code::malformed},
      {"to the end, over the limit", "HTTP/1.1 200 OK\r\n\r\n" + large, Code::too_large},
      {"a header over the limit", "HTTP/1.1 200 OK\r\nA: " + large, Code::too_large},
      {"another protocol", "SSH-2.0-OpenSSH_9.2\r\n", Code::malformed},
      {"another version", "HTTP/2.0 200 OK\r\n\r\n", Code::malformed},
      {"no number", "HTTP/1.1 abc OK\r\n\r\n", Code::malformed},
      {"bytes", "\0\xFF\0\xFF\r\n\r\n"s, Code::malformed},
  }));
  INFO(what);
  ScriptedServer server({answer}, Then::close);
  CHECK(code_of(server.ask({.body_bytes = 1000})) == code);
}

TEST_CASE("no server can hold the client beyond its deadline") {
  const std::string header = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = header + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string much(1 << 16, '.');
  const auto [what, pieces, then, pause] =
      GENERATE_COPY(table<const char*, std::vector<std::string>, Then, int>({
          {"silent", {}, Then::stay, 0},
          {"silent after the header", {header + "Content-Length: 3\r\n\r\n"}, Then::stay, 0},
          {"silent in the body", {header + "Content-Length: 3\r\n\r\nab"}, Then::stay, 0},
          {"silent in a chunk", {chunked + "3\r\nab"}, Then::stay, 0},
          {"silent without a length", {header + "\r\nabc"}, Then::stay, 0},
          {"slow in the header", {header, "A: b\r\n"}, Then::repeat_last, 10},
          {"slow in the body", {chunked, "1\r\na\r\n"}, Then::repeat_last, 10},
          {"endless", {header + "\r\n", much}, Then::repeat_last, 0},
          {"endless early answers", {"HTTP/1.1 103 Early\r\n\r\n"}, Then::repeat_last, 0},
      }));
  INFO(what);
  ScriptedServer server(pieces, then, milliseconds(pause));
  const auto begin = std::chrono::steady_clock::now();
  const ClientLimits limits = {
      .deadline = kClientDeadline, .header_bytes = 1 << 20, .body_bytes = std::size_t{1} << 40};
  const auto error = error_of(server.ask(limits));
  CHECK(error.code == Code::deadline);
  CHECK(error.was_sent);
  const auto time = std::chrono::steady_clock::now() - begin;
  CHECK(time >= kClientDeadline);
  CHECK(time < std::chrono::seconds(5));  // on a host that is busy building
}

TEST_CASE("a deadline that has passed is one, and nobody is asked") {
  ScriptedServer server({"HTTP/1.1 200 OK\r\n\r\n"}, Then::close);
  const auto error = error_of(server.ask({.deadline = milliseconds(0)}));
  CHECK(error.code == Code::deadline);
  CHECK_FALSE(error.was_sent);
}

TEST_CASE("a name that is found when the deadline has passed leads to no connection") {
  asio::io_context io(1);
  tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
  acceptor.non_blocking(true);
  auto request = request_for(acceptor.local_endpoint().port());
  request.host = "127.1";  // an address to the system alone, which is asked for it
  // Behind the client's first step: the loop goes on when the name is found and the time is over.
  const auto hold = [] { std::this_thread::sleep_for(2 * kClientDeadline); };
  asio::post(io, [&] { asio::post(io, hold); });
  const auto error = error_of(send_in(io, request, {.deadline = kClientDeadline}));
  CHECK(error.code == Code::deadline);
  CHECK_FALSE(error.was_sent);
  boost::system::error_code nobody;
  acceptor.accept(nobody);
  CHECK(nobody == asio::error::would_block);
}

TEST_CASE("nobody there is an error at once") {
  asio::io_context io(1);
  std::uint16_t port = 0;
  {
    const tcp::acceptor closed(io, {asio::ip::address_v4::loopback(), 0});
    port = closed.local_endpoint().port();
  }
  CHECK(code_of(send_in(io, request_for(port))) == Code::unreachable);
  auto unknown = request_for(port);
  unknown.host = "no-such-host.invalid";
  const auto code = code_of(send_in(io, unknown, {.deadline = std::chrono::seconds(1)}));
  CHECK((code == Code::unresolved || code == Code::deadline));  // where no name server answers
}

TEST_CASE("nothing that is no request is sent") {
  asio::io_context io(1);
  const auto change = GENERATE(values<std::function<void(ClientRequest&)>>({
      [](ClientRequest& request) { request.target = "/a\r\nB: c"; },
      [](ClientRequest& request) { request.target = "/a b"; },
      [](ClientRequest& request) { request.target = "metrics"; },
      [](ClientRequest& request) { request.target = ""; },
      [](ClientRequest& request) { request.method = "GET /"; },
      [](ClientRequest& request) { request.method = ""; },
      [](ClientRequest& request) { request.host = "a\r\nb"; },
      [](ClientRequest& request) { request.host = ""; },
      [](ClientRequest& request) {
        request.fields = {{"A", "b\r\nC: d"}};
      },
      [](ClientRequest& request) {
        request.fields = {{"A: b\r\nC", "d"}};
      },
      [](ClientRequest& request) {
        request.fields = {{"A:", "d"}};
      },
      [](ClientRequest& request) {
        request.fields = {{"", "d"}};
      },
  }));
  auto request = request_for(1);
  change(request);
  CHECK(code_of(send_in(io, request)) == Code::bad_request);
}
