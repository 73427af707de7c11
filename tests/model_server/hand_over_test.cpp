#include "model_server/hand_over.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <cstddef>

using model_server::HandOver;
using namespace std::chrono_literals;

namespace {

/// Of so many jobs that come one after the other, how many the loop computes.
std::size_t computed_by_loop(HandOver& choice, std::size_t jobs, HandOver::Duration time,
                             std::size_t under_way = 0) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < jobs; ++i) {
    if (choice.is_for_loop(1, under_way)) ++count;
    choice.learn(1, time);
  }
  return count;
}

}  // namespace

TEST_CASE("a client that is alone is answered by the loop, but for looks around") {
  HandOver choice;
  CHECK(computed_by_loop(choice, HandOver::kAlone, 50us) == 0);
  CHECK(computed_by_loop(choice, 10 * HandOver::kAlone, 50us) == 10 * HandOver::kAlone - 10);
}

TEST_CASE("company ends it, for as many jobs as it takes to be alone") {
  HandOver choice;
  computed_by_loop(choice, 2 * HandOver::kAlone + 1, 50us);
  REQUIRE(choice.is_for_loop(1, 0));
  CHECK_FALSE(choice.is_for_loop(1, 1));
  CHECK(computed_by_loop(choice, HandOver::kAlone, 50us) == 0);
  CHECK(choice.is_for_loop(1, 0));
}

TEST_CASE("many at once are never the loop's") {
  HandOver choice;
  CHECK(computed_by_loop(choice, 1000, 50us, 7) == 0);
}

TEST_CASE("nor is what takes long, in one row or in many") {
  HandOver slow;
  CHECK(computed_by_loop(slow, 1000, 1ms) == 0);
  HandOver quick;
  computed_by_loop(quick, 2 * HandOver::kAlone, 50us);
  CHECK_FALSE(quick.is_for_loop(100, 0));
  CHECK(quick.is_for_loop(1, 0));
}

TEST_CASE("a row that took long once is forgotten") {
  HandOver choice;
  computed_by_loop(choice, 2 * HandOver::kAlone, 50us);
  choice.learn(1, 1ms);
  CHECK_FALSE(choice.is_for_loop(1, 0));
  computed_by_loop(choice, 5 * HandOver::kAlone, 50us);
  CHECK(choice.is_for_loop(1, 0));
}

TEST_CASE("until a time is known, threads compute") {
  HandOver choice;
  for (std::size_t i = 0; i < 100; ++i) CHECK_FALSE(choice.is_for_loop(1, 0));
}
