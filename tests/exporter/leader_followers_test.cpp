#include "exporter/leader_followers.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <future>
#include <semaphore>
#include <thread>

using exporter::LeaderFollowers;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

constexpr auto kTestEnds = 20s;  // of a test; never reached when it passes

/// Serves `io` until the end of the test.
struct Serving {
  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> busy = asio::make_work_guard(io);
  LeaderFollowers threads;
  std::thread runner;

  explicit Serving(std::chrono::nanoseconds patience)
      : threads(io, patience), runner([this] { threads.run(); }) {}
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;
  ~Serving() {
    io.stop();
    runner.join();
  }

  /// The thread that runs the handlers now.
  std::thread::id leader() {
    std::promise<std::thread::id> id;
    asio::post(io, [&] { id.set_value(std::this_thread::get_id()); });
    auto told = id.get_future();
    REQUIRE(told.wait_for(kTestEnds) == std::future_status::ready);
    return told.get();
  }
};

}  // namespace

TEST_CASE("short work is done by the leader, and done at once") {
  Serving serving(kTestEnds);
  const auto leader = serving.leader();
  std::promise<std::pair<std::thread::id, std::thread::id>> ran;
  std::thread::id worker;
  asio::post(serving.io, [&] {
    serving.threads.perform([&]() noexcept { worker = std::this_thread::get_id(); },
                            [&] {
                              ran.set_value({worker, std::this_thread::get_id()});
                            });
  });
  const auto [work_on, done_on] = ran.get_future().get();
  CHECK(work_on == leader);
  CHECK(done_on == leader);
  CHECK(serving.leader() == leader);
}

TEST_CASE("the follower serves while the leader is held up, and they swap for good") {
  Serving serving(1ms);
  auto first = serving.leader();
  for (int turn = 0; turn < 5; ++turn) {
    std::binary_semaphore let_go(0);
    std::promise<std::thread::id> done;
    asio::post(serving.io, [&] {
      serving.threads.perform([&]() noexcept { let_go.acquire(); },
                              [&] { done.set_value(std::this_thread::get_id()); });
    });
    const auto second = serving.leader();  // answers only once the work has been left behind
    CHECK(second != first);
    let_go.release();
    CHECK(done.get_future().get() == second);
    CHECK(serving.leader() == second);
    first = second;
  }
}

TEST_CASE("the loop can be stopped while work is under way") {
  std::binary_semaphore let_go(0);
  bool is_done = false;
  {
    Serving serving(1ms);
    asio::post(serving.io, [&] {
      serving.threads.perform([&]() noexcept { let_go.acquire(); }, [&] { is_done = true; });
    });
    serving.leader();
    serving.io.stop();
    let_go.release();
  }
  CHECK_FALSE(is_done);
}

TEST_CASE("a handler that throws does not end the loop") {
  Serving serving(kTestEnds);
  asio::post(serving.io, [] { throw std::runtime_error("a bug"); });
  CHECK(serving.leader() != std::this_thread::get_id());
}

TEST_CASE("handlers never run side by side, whenever work is relieved") {
  Serving serving(50us);  // about as long as the work: some is relieved, some is not
  int counter = 0;        // no mutex: only handlers touch it, which ThreadSanitizer checks
  std::promise<void> finished;
  std::function<void(int)> work = [&](int left) {
    serving.threads.perform(
        []() noexcept {
          const auto until = std::chrono::steady_clock::now() + 50us;
          while (std::chrono::steady_clock::now() < until) {
          }
        },
        [&, left] {
          ++counter;
          if (left == 1) finished.set_value();
          if (left > 1) asio::post(serving.io, [&, left] { work(left - 1); });
        });
  };
  asio::post(serving.io, [&] { work(500); });
  for (int i = 0; i < 500; ++i) asio::post(serving.io, [&] { ++counter; });
  REQUIRE(finished.get_future().wait_for(kTestEnds) == std::future_status::ready);
  serving.leader();
  std::promise<int> total;
  asio::post(serving.io, [&] { total.set_value(counter); });
  CHECK(total.get_future().get() == 1000);
}
