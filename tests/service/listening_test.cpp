#include "service/listening.hpp"

#include <sys/resource.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <string>

namespace {

http::Server make_server(boost::asio::io_context& io) {
  return {io,
          {},
          [](const http::Request&) -> boost::asio::awaitable<http::Response> {
            co_return http::text_response(200, "");
          },
          [](http::Event) {}};
}

}  // namespace

TEST_CASE("all addresses are opened, and one that cannot be is named with the flag") {
  boost::asio::io_context io(1);
  auto server = make_server(io);
  const auto endpoints = service::listen(server, {"127.0.0.1:0", "127.0.0.1:0"});
  REQUIRE(endpoints.size() == 2);
  CHECK(endpoints[0].port() != endpoints[1].port());
  const auto taken = "127.0.0.1:" + std::to_string(endpoints[0].port());
  CHECK_THROWS_WITH(service::listen(server, {taken}),
                    Catch::StartsWith("cannot listen on " + taken + ": ") &&
                        Catch::EndsWith("; see --web.listen-address"));
}

TEST_CASE("connections leave half of the descriptors for other things") {
  const auto few = service::limits_for(8, 4);
  CHECK(few.connections == 8);
  CHECK(few.connections_per_source == 2);
  CHECK(service::limits_for(1, 4).connections_per_source == 1);
  rlimit files{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  const rlimit hundred{.rlim_cur = 100, .rlim_max = files.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &hundred) == 0);
  const auto many = service::limits_for(1000, 4);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &files) == 0);
  CHECK(many.connections == 50);
  CHECK(many.connections_per_source == 12);
}
