// What connections may cost: deadlines, how many there may be, and the host without descriptors.
#include <sys/resource.h>

#include <boost/asio/ip/address.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "http/session.hpp"
#include "tests/http/running_server.hpp"

using http::Event;
using tests::Client;
using tests::get;
using tests::kGet;
using tests::RunningServer;
using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kShort{100};
constexpr milliseconds kNever{60000};

/// All but the deadline under test are out of reach.
http::Limits with_deadline(milliseconds http::Limits::*deadline) {
  http::Limits limits{.header_deadline = kNever, .idle_deadline = kNever, .write_deadline = kNever};
  limits.*deadline = kShort;
  return limits;
}

/// Sends `bytes` again and again, so that the server never has to wait for them, until it has
/// closed the connection; that it does not do before `least`.
bool closes_though_sent(RunningServer& server, Client& client, std::string_view bytes,
                        milliseconds least) {
  const auto start = SteadyClock::now();
  const bool is_closed = server.run_until([&] { return !client.send(bytes); });
  return is_closed && SteadyClock::now() - start >= least;
}

}  // namespace

TEST_CASE("a slow header is closed at its deadline, though bytes keep coming") {
  auto limits = with_deadline(&http::Limits::header_deadline);
  limits.header_bytes = 1 << 20;  // not reached before the deadline
  RunningServer server(limits);

  SECTION("in the first request") {
    auto client = server.connect();
    client.send("GET / HTTP/1.1\r\nA: ");
    CHECK(closes_though_sent(server, client, "a", kShort));
    client.receive();
    CHECK(client.received().empty());
  }
  SECTION("in a later one, which waits for nothing but the rest of its header") {
    auto client = server.connect_and_get();
    CHECK(closes_though_sent(server, client, "a", kShort));
    client.receive();
    CHECK(client.received().empty());
  }
  SECTION("in one that is in the buffer behind another") {
    auto client = server.connect();
    client.send(std::string(kGet) + "GET /");
    CHECK(server.reply_to(client).status == 200);
    CHECK(server.closes(client));
  }
  SECTION("when nothing comes at all") {
    auto client = server.connect();
    CHECK(server.closes(client));
  }
  CHECK(server.run_until([&] { return server.count(Event::deadline_passed) == 1; }));
}

TEST_CASE("the deadlines of a connection are not those of the handler") {
  const http::Limits limits{
      .header_deadline = kShort, .idle_deadline = kShort, .write_deadline = kShort};
  RunningServer server(limits);
  auto client = server.connect();
  client.send(get("/held"));
  const auto start = SteadyClock::now();
  REQUIRE(server.run_until([&] { return SteadyClock::now() - start > 2 * kShort; }));
  server.release();
  CHECK(server.reply_to(client).body == "at last\n");
  CHECK(server.count(Event::deadline_passed) == 0);
}

TEST_CASE("a connection without a request is closed at its deadline, which is no event") {
  RunningServer server(with_deadline(&http::Limits::idle_deadline));
  auto client = server.connect_and_get();
  REQUIRE(server.closes(client));
  CHECK_FALSE(client.is_reset());
  CHECK(server.count(Event::deadline_passed) == 0);
}

TEST_CASE("a client that does not read is closed at the write deadline") {
  RunningServer server(with_deadline(&http::Limits::write_deadline));
  auto client = server.connect({.receive_buffer_bytes = 4096});
  client.send(get("/large"));
  REQUIRE(server.run_until([&] { return server.count(Event::deadline_passed) == 1; }));
  REQUIRE(server.closes(client));
  CHECK(client.received().size() < (1 << 20));  // no more than that is held for it
  auto other = server.connect();
  CHECK(server.exchange(other, kGet).status == 200);
}

TEST_CASE("a refused client that goes on sending is not listened to for ever") {
  RunningServer server;
  auto client = server.connect();
  REQUIRE(server.exchange(client, "\n").status == 400);
  CHECK(closes_though_sent(server, client, std::string(4096, '.'), kShort));
}

TEST_CASE("connections over the limit are told so") {
  http::Limits limits;
  SECTION("in all") { limits.connections = 3; }
  SECTION("from one address") { limits.connections_per_source = 3; }
  RunningServer server(limits);
  std::vector<Client> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(server.connect_and_get());

  auto refused = server.connect();
  const auto reply = server.exchange(refused, kGet);
  CHECK(reply.status == 503);
  CHECK(reply.field("Connection") == "close");
  CHECK(reply.field("Retry-After") == "1");
  CHECK(server.closes(refused));
  CHECK_FALSE(refused.is_reset());
  CHECK(server.count(Event::connection_refused) == 1);

  auto elsewhere = server.connect({.source = "127.0.0.2"});
  CHECK(server.exchange(elsewhere, kGet).status == (limits.connections == 3 ? 503 : 200));
  for (auto& client : clients) CHECK(server.exchange(client, kGet).status == 200);

  clients.pop_back();
  REQUIRE(server.run_until([&] {  // the server has to hear of it first
    auto next = server.connect();
    return server.exchange(next, kGet).status == 200;
  }));
}

TEST_CASE("an IPv6 client is its /64 network") {
  const auto source_of = [](const char* text) {
    return http::source_of(boost::asio::ip::make_address(text)).to_string();
  };
  CHECK(source_of("192.0.2.1") == "192.0.2.1");
  CHECK(source_of("::ffff:192.0.2.1") == "192.0.2.1");
  CHECK(source_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::");
  CHECK(source_of("2001:db8:1:3::6") == "2001:db8:1:3::");
  CHECK(source_of("::1") == "::");
}

namespace {

/// Not one descriptor is to be had while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    int highest = 0;
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) {
      duplicates_.push_back(fd);
      highest = std::max(highest, fd);
      if (duplicates_.size() == 8) {  // low ones may have been free: from here on nothing is
        rlimit limit = before_;
        limit.rlim_cur = static_cast<rlim_t>(highest) + 1;
        ::setrlimit(RLIMIT_NOFILE, &limit);
      }
    }
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() {
    for (const int fd : duplicates_) ::close(fd);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  rlimit before_{};
  std::vector<int> duplicates_;
};

}  // namespace

TEST_CASE("without descriptors the server waits, and serves again when there are some") {
  RunningServer server;
  auto before = server.connect_and_get();
  Client client;
  {
    const NoDescriptors exhausted;
    client.connect(server.endpoint());
    client.send(kGet);
    const auto start = SteadyClock::now();
    REQUIRE(server.run_until([&] { return server.count(Event::accept_failed) == 3; }));
    CHECK(SteadyClock::now() - start > milliseconds(150));  // two pauses between three failures
    CHECK(server.exchange(before, kGet).status == 200);
    CHECK_FALSE(client.receive());
  }
  CHECK(server.reply_to(client).status == 200);
  CHECK(server.count(Event::accept_failed) < 10);
}
