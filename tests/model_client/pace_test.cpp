#include "model_server/client/pace.hpp"

#include <catch2/catch.hpp>

using model_client::Pace;
using namespace std::chrono_literals;

namespace {
constexpr Pace::Clock::time_point kStart{1000s};
}

TEST_CASE("the first request is due at once, the next ones in even steps") {
  Pace pace(10s, kStart, 1);
  CHECK(pace.due() == kStart);
  pace.succeeded(kStart + 1s);
  CHECK(pace.due() == kStart + 10s);
  pace.succeeded(kStart + 19s);
  CHECK(pace.due() == kStart + 20s);
}

TEST_CASE("what a slow server missed is not made up for") {
  Pace pace(10s, kStart, 1);
  pace.succeeded(kStart + 35s);
  CHECK(pace.due() == kStart + 35s);
  pace.succeeded(kStart + 36s);
  CHECK(pace.due() == kStart + 45s);
}

TEST_CASE("pauses double from a second to a minute, each at most a quarter shorter") {
  Pace pace(1ms, kStart, 1);
  auto now = kStart;
  for (const auto whole : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s}) {
    pace.failed(now);
    CHECK(pace.due() - now <= whole);
    CHECK(pace.due() - now >= whole * 3 / 4);
    now = pace.due();
  }
  CHECK(pace.failures() == 9);
  pace.succeeded(now);
  CHECK(pace.failures() == 0);
  CHECK(pace.due() == now + 1ms);
  pace.failed(now);
  CHECK(pace.due() - now <= 1s);
}

TEST_CASE("clients that lost the same server pause differently") {
  Pace one(1ms, kStart, 1);
  Pace other(1ms, kStart, 2);
  one.failed(kStart);
  other.failed(kStart);
  CHECK(one.due() != other.due());
}

TEST_CASE("a failure never makes the next request earlier than the rate does") {
  Pace pace(10s, kStart, 1);
  pace.failed(kStart);
  CHECK(pace.due() == kStart + 10s);
}
