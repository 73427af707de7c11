// How the server begins to listen and how it ends.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

#include "http/server.hpp"
#include "tests/http/running_server.hpp"

using boost::asio::ip::tcp;
using http::Event;
using std::chrono::milliseconds;
using tests::Client;
using tests::get;
using tests::kGet;
using tests::RunningServer;

namespace {

constexpr milliseconds kLong{60000};

/// Asks `server` to shut down; true in the result once it has.
std::shared_ptr<bool> shut_down(RunningServer& server, milliseconds grace = kLong) {
  auto is_down = std::make_shared<bool>(false);
  boost::asio::co_spawn(
      server.io(), server.server().shut_down(grace),
      [is_down](const std::exception_ptr& error) { *is_down = error == nullptr; });
  return is_down;
}

tcp::endpoint loopback(const tcp& protocol, std::uint16_t port) {
  if (protocol == tcp::v4()) return {boost::asio::ip::address_v4::loopback(), port};
  return {boost::asio::ip::address_v6::loopback(), port};
}

bool is_served(RunningServer& server, const tcp::endpoint& endpoint) {
  Client client(endpoint);
  return server.exchange(client, kGet).status == 200;
}

}  // namespace

TEST_CASE("an address without a host is every address of both families") {
  RunningServer server({}, ":0");
  const auto port = server.endpoint().port();
  CHECK(port != 0);
  CHECK(is_served(server, loopback(tcp::v4(), port)));
  CHECK(is_served(server, loopback(tcp::v6(), port)));
}

TEST_CASE("an address with a host is that one only") {
  SECTION("IPv6") {
    RunningServer server({}, "[::1]:0");
    const auto port = server.endpoint().port();
    CHECK(is_served(server, loopback(tcp::v6(), port)));
    CHECK_THROWS_AS(Client(loopback(tcp::v4(), port)), std::system_error);
  }
  SECTION("every IPv6 address is no IPv4 address") {
    RunningServer server({}, "[::]:0");
    const auto port = server.endpoint().port();
    CHECK(is_served(server, loopback(tcp::v6(), port)));
    CHECK_THROWS_AS(Client(loopback(tcp::v4(), port)), std::system_error);
  }
  SECTION("a name") {
    RunningServer server({}, "localhost:0");
    CHECK(is_served(server, server.endpoint()));
  }
}

TEST_CASE("a name listens on all of its addresses, once each") {
  RunningServer first({}, "localhost:0");  // finds a port that is free
  const auto port = first.endpoint().port();
  first.destroy_server();
  first.destroy_io();
  RunningServer server({}, "localhost:" + std::to_string(port));
  CHECK(is_served(server, server.endpoint()));
}

TEST_CASE("an address that is in use throws, and does no harm") {
  RunningServer server;
  const auto address = "127.0.0.1:" + std::to_string(server.endpoint().port());
  try {
    server.server().listen(address);
    FAIL("bound twice");
  } catch (const boost::system::system_error& error) {
    CHECK(error.code() == boost::asio::error::address_in_use);
  }
  CHECK_THROWS_AS(server.server().listen("192.0.2.1:0"), boost::system::system_error);
  CHECK_THROWS_AS(server.server().listen("no-such-host.invalid:0"), boost::system::system_error);
  CHECK(is_served(server, server.endpoint()));
}

TEST_CASE("text that is no address throws") {
  const auto* address =
      GENERATE("", "8888", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "[::1]", "127.0.0.1:-1",
               "127.0.0.1:+1", "127.0.0.1: 1", "127.0.0.1:1 ", "127.0.0.1:65536", "::1:80", "::1",
               "[::1:80", "::1]:80", "[]:80", "[127.0.0.1]:80", "[::1]80", "[::1]:", "http://a:80");
  INFO(address);
  boost::asio::io_context io;
  http::Server server(io, {}, nullptr, nullptr);
  CHECK_THROWS_AS(server.listen(address), std::invalid_argument);
}

TEST_CASE("shut_down closes what is idle at once, and refuses what comes") {
  RunningServer server;
  auto idle = server.connect_and_get();
  auto silent = server.connect();
  auto half = server.connect();
  half.send("GET / HT");
  REQUIRE(is_served(server, server.endpoint()));  // so the others have been accepted
  const auto is_down = shut_down(server);
  REQUIRE(server.run_until([&] { return *is_down; }));
  for (auto* client : {&idle, &silent, &half}) {
    CHECK(server.closes(*client));
    CHECK(client->received().empty());
  }
  CHECK_FALSE(idle.is_reset());
  CHECK_THROWS_AS(server.connect(), std::system_error);
}

TEST_CASE("shut_down answers a request that has come, though nobody has read it") {
  RunningServer server;
  auto whole = server.connect_and_get();
  auto half = server.connect_and_get();
  whole.send(kGet);
  half.send("GET / HT");
  const auto is_down = shut_down(server);
  const auto reply = server.reply_to(whole);
  CHECK(reply.body == "hello\n");
  CHECK(reply.field("Connection") == "close");
  CHECK(server.closes(half));  // of what is to come nobody knows when
  half.close();
  whole.close();
  CHECK(server.run_until([&] { return *is_down; }));
}

TEST_CASE("shut_down of a server without connections is done at once") {
  RunningServer server;
  const auto is_down = shut_down(server);
  CHECK(server.run_until([&] { return *is_down; }));
}

TEST_CASE("shut_down waits for the reply under way, which says close") {
  RunningServer server;
  auto client = server.connect();
  client.send(get("/held") + get("/too_late"));
  REQUIRE(server.run_until([&] { return !server.handled().empty(); }));
  const auto is_down = shut_down(server);
  for (int i = 0; i < 10; ++i) server.io().poll();
  CHECK_FALSE(*is_down);
  server.release();
  const auto reply = server.reply_to(client);
  CHECK(reply.body == "at last\n");
  CHECK(reply.field("Connection") == "close");
  REQUIRE(server.closes(client));
  CHECK_FALSE(client.is_reset());
  client.close();
  CHECK(server.run_until([&] { return *is_down; }));
  CHECK(server.handled().size() == 1);
}

TEST_CASE("shut_down waits for a reply that is being sent, though it said keep-alive") {
  RunningServer server;
  auto client = server.connect({.receive_buffer_bytes = 4096});
  client.send(get("/large"));
  REQUIRE(server.run_until([&] { return !server.handled().empty(); }));
  for (int i = 0; i < 10; ++i) server.io().poll();
  const auto is_down = shut_down(server);
  CHECK_FALSE(*is_down);
  CHECK(server.reply_to(client).body.size() == RunningServer::kLargeBytes);
  CHECK(server.closes(client));
  client.close();
  CHECK(server.run_until([&] { return *is_down; }));
}

TEST_CASE("shut_down waits no longer than its grace") {
  RunningServer server;
  auto client = server.connect();
  client.send(get("/held"));
  REQUIRE(server.run_until([&] { return !server.handled().empty(); }));
  const auto is_down = shut_down(server, milliseconds(50));
  CHECK(server.run_until([&] { return *is_down; }));
  CHECK_FALSE(client.receive());
}

TEST_CASE("a server may go before its connections") {
  RunningServer server;
  auto held = server.connect();
  auto idle = server.connect_and_get();
  held.send(get("/held"));
  REQUIRE(server.run_until([&] { return server.handled().back() == "/held"; }));

  SECTION("which then go on to their end") {
    server.destroy_server();
    CHECK_THROWS_AS(server.connect(), std::system_error);
    server.release();
    CHECK(server.reply_to(held).body == "at last\n");
  }
  SECTION("and the io_context with all that waits in it") {
    auto half = server.connect();
    half.send("GET / HT");
    auto refused = server.connect();
    refused.send("\n");
    auto large = server.connect({.receive_buffer_bytes = 4096});
    large.send(get("/large"));
    REQUIRE(server.run_until([&] { return server.handled().back() == "/large"; }));
    const auto is_down = GENERATE(false, true) ? shut_down(server) : nullptr;
    for (int i = 0; i < 10; ++i) server.io().poll();
    server.destroy_server();
    server.destroy_io();
    CHECK(held.receive());
    CHECK(idle.receive());
  }
}
