// Bodies of requests, where the limits allow any.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <string>

#include "http/server.hpp"
#include "tests/http/running_server.hpp"

using http::Event;
using std::chrono::milliseconds;
using tests::get;
using tests::kGet;
using tests::RunningServer;

namespace {

constexpr std::size_t kMostBytes = 100'000;  // some times what the server reads at once

http::Limits with_bodies() {
  http::Limits limits;
  limits.body_bytes = kMostBytes;
  return limits;
}

std::string post_header(const std::string& fields) {
  return "POST /echo HTTP/1.1\r\nHost: test\r\n" + fields + "\r\n";
}

std::string post(const std::string& body) {
  return post_header("Content-Length: " + std::to_string(body.size()) + "\r\n") + body;
}

/// Every byte differs from its neighbours.
std::string body_of(std::size_t size) {
  std::string body(size, '\0');
  for (std::size_t at = 0; at < size; ++at) body[at] = static_cast<char>(at % 251);
  return body;
}

}  // namespace

TEST_CASE("a body reaches the handler as it was sent, up to the limit") {
  const auto size = GENERATE(as<std::size_t>{}, 0, 1, 8191, 8192, 8193, kMostBytes);
  INFO(size);
  RunningServer server(with_bodies());
  auto client = server.connect();
  const auto body = body_of(size);
  const auto reply = server.exchange(client, post(body));
  CHECK(reply.status == 200);
  CHECK(reply.body == body);
  CHECK(server.exchange(client, kGet).body == "hello\n");
}

TEST_CASE("a body over the limit is refused before it is read") {
  RunningServer server(with_bodies());
  auto client = server.connect();
  const auto reply = server.exchange(client, post(body_of(kMostBytes + 1)));
  CHECK(reply.status == 413);
  CHECK(reply.field("Connection") == "close");
  CHECK(server.closes(client));
  CHECK_FALSE(client.is_reset());
  CHECK(server.handled().empty());
  CHECK(server.count(Event::request_rejected) == 1);
}

TEST_CASE("a length that two servers might read differently is refused") {
  const auto [fields, status] = GENERATE(table<const char*, int>({
      {"Content-Length: 00\r\n", 400},
      {"Content-Length: 05\r\n", 400},
      {"Content-Length: 5, 5\r\n", 400},
      {"Content-Length: 5\r\nContent-Length: 5\r\n", 400},
      {"Content-Length: 5\r\nContent-Length: 6\r\n", 400},
      {"Content-Length: -5\r\n", 400},
      {"Content-Length: 0x5\r\n", 400},
      {"Content-Length: 5.0\r\n", 400},
      {"Content-Length:\r\n", 400},
      {"Content-Length: 18446744073709551615\r\n", 413},
      {"Content-Length: 18446744073709551616\r\n", 400},
      {"Transfer-Encoding: chunked\r\n", 411},
      {"Transfer-Encoding: gzip, chunked\r\n", 411},
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400},
  }));
  INFO(fields);
  RunningServer server(with_bodies());
  auto client = server.connect();
  const auto reply = server.exchange(client, post_header(fields) + get("/smuggled"));
  CHECK(reply.status == status);
  REQUIRE(server.closes(client));
  CHECK_FALSE(client.is_reset());
  CHECK(client.received().empty());
  CHECK(server.handled().empty());
}

TEST_CASE("what is in a body is no request, and what is behind it is") {
  RunningServer server(with_bodies());
  auto client = server.connect();
  const auto inner = get("/smuggled");
  client.send(post(inner) + post("") + post("abc") + get("/") + post(body_of(20'000)) +
              get("/none"));
  CHECK(server.reply_to(client).body == inner);
  CHECK(server.reply_to(client).body.empty());
  CHECK(server.reply_to(client).body == "abc");
  CHECK(server.reply_to(client).body == "hello\n");
  CHECK(server.reply_to(client).body == body_of(20'000));
  CHECK(server.reply_to(client).status == 404);
}

TEST_CASE("a body may come in single bytes, and with any method") {
  const auto* method = GENERATE("GET", "POST", "PUT");
  RunningServer server(with_bodies());
  auto client = server.connect();
  const auto request =
      std::string(method) + " /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\na\nb";
  for (const char byte : request + request) {
    client.send({&byte, 1});
    server.io().restart();
    server.io().poll();
  }
  CHECK(server.reply_to(client).body == "a\nb");
  CHECK(server.reply_to(client).body == "a\nb");
}

TEST_CASE("a client that waits to be told to send its body is told so") {
  RunningServer server(with_bodies());
  auto client = server.connect();
  const std::string expect = "Expect: 100-Continue\r\n";

  SECTION("once the header is fine") {
    const auto go = server.exchange(client, post_header("Content-Length: 3\r\n" + expect));
    CHECK(go.header == "HTTP/1.1 100 Continue\r\n\r\n");
    CHECK(server.handled().empty());
    CHECK(server.exchange(client, "abc").body == "abc");
  }
  SECTION("not when the body is here already") {
    const auto reply =
        server.exchange(client, post_header("Content-Length: 3\r\n" + expect) + "abc");
    CHECK(reply.status == 200);
    CHECK(reply.body == "abc");
  }
  SECTION("not when the body would be refused") {
    const auto fields = "Content-Length: " + std::to_string(kMostBytes + 1) + "\r\n" + expect;
    CHECK(server.exchange(client, post_header(fields)).status == 413);
    CHECK(server.closes(client));
  }
  SECTION("not when there is no body") {
    CHECK(server.exchange(client, post_header("Content-Length: 0\r\n" + expect)).status == 200);
  }
}

TEST_CASE("a slow body is closed at its deadline, though bytes keep coming") {
  auto limits = with_bodies();
  limits.body_bytes = std::size_t{1} << 30U;
  limits.body_deadline = milliseconds(100);
  RunningServer server(limits);
  auto client = server.connect();
  client.send(post_header("Content-Length: 1000000000\r\n"));
  const auto start = std::chrono::steady_clock::now();
  REQUIRE(server.run_until([&] { return !client.send("a"); }));
  CHECK(std::chrono::steady_clock::now() - start >= limits.body_deadline);
  CHECK(server.run_until([&] { return server.count(Event::deadline_passed) == 1; }));
  CHECK(server.count(Event::request_rejected) == 0);
  client.receive();
  CHECK(client.received().empty());
  CHECK(server.handled().empty());
}

TEST_CASE("a body that ends before its length is refused, and reaches nobody") {
  const auto* body = GENERATE("", "abc");
  RunningServer server(with_bodies(), "127.0.0.1:0", [](const http::Refused& refused) {
    return http::text_response(refused.status,
                               std::string(refused.target) + " " + std::string(refused.field));
  });
  auto client = server.connect();
  client.send(post_header("Content-Length: 10\r\n") + body);
  client.finish_sending();
  const auto reply = server.reply_to(client);
  CHECK(reply.status == 400);
  CHECK(reply.body == "/echo Content-Length");
  CHECK(server.closes(client));
  CHECK_FALSE(client.is_reset());
  CHECK(server.handled().empty());
  CHECK(server.count(Event::request_rejected) == 1);
  CHECK(server.count(Event::deadline_passed) == 0);
}

TEST_CASE("a request whose body is on its way when the server stops is answered") {
  RunningServer server(with_bodies());
  auto client = server.connect();
  client.send(post_header("Content-Length: 6\r\n") + "abc");
  for (int i = 0; i < 10; ++i) server.io().poll();
  bool is_down = false;
  boost::asio::co_spawn(server.io(), server.server().shut_down(milliseconds(60000)),
                        [&](const std::exception_ptr&) { is_down = true; });
  for (int i = 0; i < 10; ++i) server.io().poll();
  CHECK_FALSE(is_down);
  const auto reply = server.exchange(client, "def");
  CHECK(reply.body == "abcdef");
  CHECK(reply.field("Connection") == "close");
  client.close();
  CHECK(server.run_until([&] { return is_down; }));
}

TEST_CASE("a refusal is worded by who runs the server, who is told what is wrong") {
  const auto [request, status, text] = GENERATE(table<std::string, int, const char*>({
      {post(body_of(kMostBytes + 1)), 413, "/echo Content-Length"},
      {post_header("Content-Length: 05\r\n"), 400, "/echo Content-Length"},
      {post_header("Content-Length: -5\r\n"), 400, "/echo Content-Length"},
      {post_header("Content-Length: 5\r\nContent-Length: 6\r\n"), 400, "/echo Content-Length"},
      {post_header("Transfer-Encoding: chunked\r\n"), 411, "/echo Transfer-Encoding"},
      {post_header("Host: b\r\n"), 400, "/echo Host"},
      {post_header("a b: c\r\n"), 400, "/echo header"},
      {"GET /" + std::string(3000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414, nullptr},
      {"GET /a HTTP/1.1\r\nHost: a\x01\r\n\r\n", 400, "/a header"},
      {"GET /a HTTP/1.1\r\nHost: " + std::string(9000, 'a'), 431, "/a header"},
      {"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400, nullptr},
      {"\x16\x03\x01", 400, " header"},
  }));
  INFO(request.substr(0, 80));
  RunningServer server(with_bodies(), "127.0.0.1:0", [](const http::Refused& refused) {
    auto response = http::text_response(
        refused.status, std::string(refused.target) + " " + std::string(refused.field));
    response.content_type = "application/json";
    return response;
  });
  auto client = server.connect();
  const auto reply = server.exchange(client, request);
  CHECK(reply.status == status);
  CHECK(reply.field("Content-Type") == "application/json");
  CHECK(reply.body.ends_with(text == nullptr ? " target" : text));
}

TEST_CASE("all bodies under way share a limit, whatever each may have") {
  auto limits = with_bodies();
  limits.all_body_bytes = kMostBytes + 10;
  RunningServer server(limits);
  auto large = server.connect();
  large.send(post_header("Content-Length: " + std::to_string(kMostBytes) + "\r\n") +
             body_of(kMostBytes - 5));
  for (int i = 0; i < 100; ++i) server.io().poll();
  auto client = server.connect();
  const auto refused = server.exchange(client, post(body_of(16)));
  CHECK(refused.status == 503);
  CHECK(server.closes(client));
  auto other = server.connect();
  CHECK(server.exchange(other, post(body_of(15))).status == 200);
  CHECK(server.exchange(large, body_of(5)).status == 200);
  CHECK(server.exchange(other, post(body_of(kMostBytes))).status == 200);  // all were given back
}
