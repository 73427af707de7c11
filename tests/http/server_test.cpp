// What the server answers to requests as clients send them.
#include "http/server.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/http/running_server.hpp"

using http::Event;
using tests::get;
using tests::kGet;
using tests::RunningServer;

TEST_CASE("the handler says what is answered") {
  RunningServer server;
  auto client = server.connect();
  const auto found = server.exchange(client, kGet);
  CHECK(found.header.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(found.body == "hello\n");
  CHECK(found.field("Content-Type") == "text/plain; charset=utf-8");
  CHECK(found.field("X-Content-Type-Options") == "nosniff");
  CHECK(found.field("Date").ends_with(" GMT"));
  CHECK(server.exchange(client, get("/none")).status == 404);
  const auto refused = server.exchange(client, "BREW / HTTP/1.1\r\nHost: test\r\n\r\n");
  CHECK(refused.status == 405);
  CHECK(refused.field("Allow") == "GET, HEAD");
  const auto agent = server.exchange(client, get("/agent", "User-Agent: \t me, myself \r\n"));
  CHECK(agent.body == "me, myself");
}

TEST_CASE("a reply to HEAD has the length and no body") {
  RunningServer server;
  auto client = server.connect();
  const auto reply = server.exchange(client, "HEAD / HTTP/1.1\r\nHost: test\r\n\r\n");
  CHECK(reply.status == 200);
  CHECK(reply.field("Content-Length") == "6");
  // What follows is the next reply.
  CHECK(server.exchange(client, kGet).body == "hello\n");

  SECTION("when the request is refused, too") {
    CHECK(server.exchange(client, "HEAD x HTTP/1.1\r\nHost: test\r\n\r\n").status == 400);
    REQUIRE(server.closes(client));
    CHECK(client.received().empty());
  }
}

TEST_CASE("a handler that throws is a 500 of one request") {
  RunningServer server;
  auto client = server.connect();
  const auto reply = server.exchange(client, get("/throw"));
  CHECK(reply.status == 500);
  CHECK(reply.body.find("as asked for") == std::string::npos);
  CHECK(server.count(Event::session_failed) == 1);
  CHECK(server.exchange(client, kGet).status == 200);
}

TEST_CASE("a connection is kept or closed as the client wants") {
  const auto [what, request, version, connection] =
      GENERATE(table<const char*, std::string, const char*, const char*>({
          {"HTTP/1.1", std::string(kGet), "HTTP/1.1", ""},
          {"HTTP/1.1, close", get("/", "Connection: close\r\n"), "HTTP/1.1", "close"},
          {"HTTP/1.1, in a list", get("/", "connection: te, CLOSE\r\n"), "HTTP/1.1", "close"},
          {"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", "HTTP/1.0", "close"},
          {"HTTP/1.0, keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "HTTP/1.0",
           "keep-alive"},
      }));
  INFO(what);
  RunningServer server;
  auto client = server.connect();
  const auto reply = server.exchange(client, request);
  CHECK(reply.header.starts_with(std::string(version) + " 200 OK\r\n"));
  CHECK(reply.body == "hello\n");
  CHECK(reply.field("Connection") == connection);
  if (reply.field("Connection") != "close") {
    CHECK(server.exchange(client, request).body == "hello\n");
    CHECK_FALSE(client.receive());
  } else {
    CHECK(server.closes(client));
    CHECK_FALSE(client.is_reset());
  }
}

TEST_CASE("the last request of a connection is told so") {
  http::Limits limits;
  limits.requests_per_connection = 3;
  RunningServer server(limits);
  auto client = server.connect();
  client.send(std::string(kGet) + get("/agent") + get("/none") + get("/too_many"));
  CHECK(server.reply_to(client).field("Connection").empty());
  CHECK(server.reply_to(client).field("Connection").empty());
  const auto last = server.reply_to(client);
  CHECK(last.status == 404);
  CHECK(last.field("Connection") == "close");
  REQUIRE(server.closes(client));
  CHECK_FALSE(client.is_reset());
  CHECK(client.received().empty());
  CHECK(server.handled() == std::vector<std::string>{"/", "/agent", "/none"});
}

TEST_CASE("pipelined requests are answered one after the other, in their order") {
  RunningServer server;
  auto client = server.connect();
  std::string requests;
  for (int i = 0; i < 100; ++i) {
    const auto number = std::to_string(i);
    requests += get("/agent", "User-Agent: " + number + "\r\n");
  }
  client.send(requests);
  for (int i = 0; i < 100; ++i) CHECK(server.reply_to(client).body == std::to_string(i));

  client.send(get("/held") + get("/none"));
  REQUIRE(server.run_until([&] { return server.handled().back() == "/held"; }));
  for (int i = 0; i < 10; ++i) server.io().poll();
  CHECK(server.handled().back() == "/held");
  server.release();
  CHECK(server.reply_to(client).body == "at last\n");
  CHECK(server.reply_to(client).status == 404);
}

TEST_CASE("a request may come in single bytes") {
  RunningServer server;
  auto client = server.connect();
  const auto request = get("/agent", "User-Agent: \tslow\r\n");
  for (const char byte : request + request) {
    client.send({&byte, 1});
    server.io().restart();
    server.io().poll();
  }
  CHECK(server.reply_to(client).body == "slow");
  CHECK(server.reply_to(client).body == "slow");
}

TEST_CASE("a good request before a bad one is answered") {
  RunningServer server;
  auto client = server.connect();
  client.send(std::string(kGet) + "\n\n");
  CHECK(server.reply_to(client).status == 200);
  CHECK(server.reply_to(client).status == 400);
  CHECK(server.closes(client));
}

TEST_CASE("a client that ends its sending gets its reply") {
  RunningServer server;
  auto client = server.connect();
  client.send(kGet);
  client.finish_sending();
  CHECK(server.reply_to(client).body == "hello\n");
  REQUIRE(server.closes(client));
  CHECK_FALSE(client.is_reset());
}
