// Requests that are too large, have a body, or are no HTTP: answered 4xx, and the connection
// closed.
#include <catch2/catch.hpp>
#include <string>

#include "http/server.hpp"
#include "tests/http/running_server.hpp"

using http::Event;
using tests::get;
using tests::kGet;
using tests::RunningServer;

TEST_CASE("a request may be as large as the limits, and not larger") {
  const http::Limits limits;
  const auto header_of = [](std::size_t size) {
    const auto least = get("/", "A: \r\n").size();
    return get("/", "A: " + std::string(size - least, 'a') + "\r\n");
  };
  const auto with_fields = [](std::size_t count) {
    std::string fields;
    for (std::size_t i = 1; i < count; ++i) fields += "A: b\r\n";  // Host is one
    return get("/", fields);
  };
  const auto with_target = [](std::size_t size) { return get("/" + std::string(size - 1, 'a')); };
  const auto [what, request, status] = GENERATE_COPY(table<const char*, std::string, int>({
      {"header", header_of(limits.header_bytes), 200},
      {"header, one byte more", header_of(limits.header_bytes + 1), 431},
      {"header without an end", header_of(400'000), 431},
      {"fields", with_fields(limits.header_fields), 200},
      {"fields, one more", with_fields(limits.header_fields + 1), 431},
      {"target", with_target(limits.target_bytes), 404},
      {"target, one byte more", with_target(limits.target_bytes + 1), 414},
      {"target without an end", with_target(900'000), 431},
  }));
  INFO(what);
  RunningServer server;
  auto client = server.connect();
  CHECK(server.exchange(client, request).status == status);
  if (status > 404) {
    CHECK(server.closes(client));
    CHECK_FALSE(client.is_reset());
    CHECK(server.count(Event::request_rejected) == 1);
  } else {
    CHECK(server.exchange(client, kGet).status == 200);
  }
}

TEST_CASE("a request with a body is refused, whatever the method") {
  const auto [fields, status] = GENERATE(table<const char*, int>({
      {"Content-Length: 0\r\n", 0},
      {"Content-Length: 5\r\n", 413},
      {"Content-Length: 00\r\n", 413},
      {"Content-Length: 2000000\r\n", 413},  // past Beast's own limit
      {"Content-Length: 18446744073709551615\r\n", 413},
      {"Content-Length: 0, 0\r\n", 413},
      {"Content-Length: 18446744073709551616\r\n", 400},
      {"Content-Length: 0\r\nContent-Length: 0\r\n", 400},
      {"Content-Length: 5\r\nContent-Length: 0\r\n", 400},
      {"Content-Length: -1\r\n", 400},
      {"Content-Length: +0\r\n", 400},
      {"Content-Length: 0x0\r\n", 400},
      {"Content-Length:\r\n", 400},
      {"Transfer-Encoding: chunked\r\n", 400},
      {"Transfer-Encoding: identity\r\n", 400},
      {"Transfer-Encoding: x\r\nContent-Length: 5\r\n", 400},
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", 400},
      {"Transfer-Encoding:\r\n", 400},
  }));
  const auto* method = GENERATE("GET", "POST");
  INFO(method << ' ' << fields);
  RunningServer server;
  auto client = server.connect();
  client.send(std::string(method) + " / HTTP/1.1\r\nHost: test\r\n" + fields + "\r\n" +
              get("/smuggled"));
  const auto reply = server.reply_to(client);
  if (status == 0) {
    CHECK(reply.status == (method[0] == 'G' ? 200 : 405));
    CHECK(server.reply_to(client).status == 404);
    return;
  }
  CHECK(reply.status == status);
  CHECK(reply.field("Connection") == "close");
  REQUIRE(server.closes(client));
  CHECK_FALSE(client.is_reset());
  CHECK(client.received().empty());
  CHECK(server.handled().empty());
}

TEST_CASE("what two servers might read differently is refused, and nothing behind it is served") {
  using namespace std::string_literals;
  const auto request = GENERATE(values<std::string>({
      // the request line
      "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
      "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
      "GET / HTTP/0.9\r\nHost: a\r\n\r\n",
      "GET / http/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
      "GET / HTTP/11\r\nHost: a\r\n\r\n",
      "GET /\r\nHost: a\r\n\r\n",
      "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n",
      " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "\r\n\r\n",
      "G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
      "G\xC3\x89T / HTTP/1.1\r\nHost: a\r\n\r\n",
      "/ HTTP/1.1\r\nHost: a\r\n\r\n",
      // the target
      "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
      "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET metrics HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET ?a=b HTTP/1.1\r\nHost: a\r\n\r\n",
      // Host
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n",
      // fields
      "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\tfolded\r\n\r\n",
      "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n: nameless\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nA B: c\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nA\xC3\xA9: b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: @\r\n\r\n",
      // line ends and control characters
      "GET / HTTP/1.1\nHost: a\n\n",
      "GET / HTTP/1.1\r\nHost: a\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n\n",
      "GET / HTTP/1.1\r\nHost: a\r\nA: b\rC: d\r\n\r\n",
      "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\rHost: a\r\r",
      "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"s,
      "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s,
      "\0\0\0\0"s,
      "GET / HTTP/1.1\r\nHost: a\r\nA: \x01\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nA: \x7F\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nA: \v\r\n\r\n",
      // other protocols
      "\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03"s,  // TLS
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "SSH-2.0-OpenSSH_9.2\r\n\r\n",
      "\xFF\xFB\x1F\xFF\xFB\x20",  // telnet
      "{\"json\": 1}\r\n\r\n",
  }));
  const bool in_single_bytes = GENERATE(false, true);
  INFO(in_single_bytes << ' ' << request);
  RunningServer server;
  auto client = server.connect();
  const auto text = request + get("/smuggled");
  for (std::size_t at = 0; in_single_bytes && at < text.size(); ++at) {
    client.send(text.substr(at, 1));
    server.io().poll();
  }
  if (!in_single_bytes) client.send(text);
  const auto reply = server.reply_to(client);
  CHECK(reply.status == 400);
  CHECK(reply.field("Connection") == "close");
  CHECK(reply.body == "Bad Request\n");
  REQUIRE(server.closes(client));
  CHECK_FALSE(client.is_reset());
  CHECK(client.received().empty());
  CHECK(server.handled().empty());
  CHECK(server.count(Event::request_rejected) == 1);
}

TEST_CASE("what cannot become a request is refused before its header ends") {
  using namespace std::string_literals;
  const auto text = GENERATE(values<std::string>({
      "\x16\x03\x01\x02"s,  // TLS
      "GET / HTTP/1.1\n",
      "GET / HTTP/1.1\rHost",
      "GET / HTTP/1.1\r\n folded",
      "GET /\0"s,
      "GET / HTTP/1.1\r\nA: \x1B",
      "GET / HTTP/1.1\r\nA: \x7F",
  }));
  INFO(text);
  RunningServer server;
  auto client = server.connect();
  CHECK(server.exchange(client, text).status == 400);
  CHECK(server.closes(client));
}
