// A port that somebody else opened.
#include "http/inherited_sockets.hpp"

#include <unistd.h>

#include <boost/asio/ip/udp.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "tests/http/running_server.hpp"

using boost::asio::ip::tcp;
using http::inherited_sockets;
using tests::kGet;
using tests::RunningServer;

namespace {

void set_environment(const char* process, const char* count) {
  ::setenv("LISTEN_PID", process, 1);
  ::setenv("LISTEN_FDS", count, 1);
}

}  // namespace

TEST_CASE("a server answers on a socket that listened before it was there") {
  boost::asio::io_context elsewhere;
  tcp::acceptor opened(elsewhere, {boost::asio::ip::address_v4::loopback(), 0});
  const auto address = opened.local_endpoint();
  RunningServer server;
  CHECK(server.server().adopt(opened.release()) == address);
  tests::Client client(address, {});
  CHECK(server.exchange(client, kGet).body == "hello\n");
}

TEST_CASE("what does not listen is not adopted, and stays open") {
  boost::asio::io_context elsewhere;
  RunningServer server;
  tcp::socket unconnected(elsewhere, tcp::v4());
  CHECK_THROWS_AS(server.server().adopt(unconnected.native_handle()), boost::system::system_error);
  CHECK(unconnected.available() == 0);
  boost::asio::ip::udp::socket datagrams(elsewhere, boost::asio::ip::udp::v4());
  CHECK_THROWS_AS(server.server().adopt(datagrams.native_handle()), boost::system::system_error);
  CHECK_THROWS_AS(server.server().adopt(-1), boost::system::system_error);
}

TEST_CASE("systemd's sockets are those behind the standard streams") {
  const auto self = std::to_string(::getpid());
  set_environment(self.c_str(), "2");
  CHECK(inherited_sockets() == std::vector<int>{3, 4});
  CHECK(std::getenv("LISTEN_FDS") == nullptr);
  CHECK(inherited_sockets().empty());
}

TEST_CASE("sockets that are meant for another process, or are none, are left alone") {
  const auto self = std::to_string(::getpid());
  const auto other = std::to_string(::getpid() + 1);
  set_environment(other.c_str(), "1");
  CHECK(inherited_sockets().empty());
  for (const auto* count : {"0", "-1", "", "1x", "65", "99999999999999999999"}) {
    INFO(count);
    set_environment(self.c_str(), count);
    CHECK(inherited_sockets().empty());
  }
}
