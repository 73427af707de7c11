#include "model_server/worker_pool.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <opencv2/core.hpp>
#include <vector>

#include "tests/support/model_files.hpp"

using model_server::Clock;
using model_server::Ending;
using model_server::Inference;
using model_server::WorkerPool;

namespace {

constexpr std::chrono::seconds kLong{60};

std::shared_ptr<Inference> inference_of(std::size_t rows, Clock::duration time = kLong) {
  return std::make_shared<Inference>(Inference{
      .inputs = std::vector<float>(rows * 6, 0.1F), .rows = rows, .deadline = Clock::now() + time});
}

/// Has all of them run at once, and how each ended.
std::vector<Ending> run_all(WorkerPool& pool,
                            const std::vector<std::shared_ptr<Inference>>& inferences) {
  boost::asio::io_context io(1);
  std::vector<Ending> endings(inferences.size(), Ending::failed);
  for (std::size_t i = 0; i < inferences.size(); ++i) {
    boost::asio::co_spawn(io, pool.run(inferences[i]),
                          [&endings, i](const std::exception_ptr& error, Ending ending) {
                            if (error == nullptr) endings[i] = ending;
                          });
  }
  io.run();
  return endings;
}

/// As long as it lives, OpenCV gets no memory for tensors.
class NoMemory : public cv::MatAllocator {
 public:
  NoMemory() { cv::Mat::setDefaultAllocator(this); }
  NoMemory(const NoMemory&) = delete;
  NoMemory& operator=(const NoMemory&) = delete;
  ~NoMemory() override { cv::Mat::setDefaultAllocator(before_); }

  cv::UMatData* allocate(int, const int*, int, void*, std::size_t*, cv::AccessFlag,
                         cv::UMatUsageFlags) const override {
    throw cv::Exception(cv::Error::StsNoMem, "no memory", "allocate", __FILE__, __LINE__);
  }
  bool allocate(cv::UMatData*, cv::AccessFlag, cv::UMatUsageFlags) const override { return false; }
  void deallocate(cv::UMatData*) const override {}

 private:
  cv::MatAllocator* before_ = cv::Mat::getDefaultAllocator();
};

}  // namespace

TEST_CASE("every row gets its prediction, whichever worker computes it") {
  WorkerPool pool(tests::bts_model(), 3, 100);
  std::vector<std::shared_ptr<Inference>> inferences;
  for (std::size_t rows = 1; rows <= 20; ++rows) inferences.push_back(inference_of(rows));
  const auto endings = run_all(pool, inferences);
  CHECK(std::count(endings.begin(), endings.end(), Ending::done) == 20);
  const auto expected = inferences.front()->outputs.front();
  for (const auto& inference : inferences) {
    CHECK(inference->outputs == std::vector<float>(inference->rows, expected));
    CHECK(inference->queued_at <= inference->begun_at);
    CHECK(inference->begun_at < inference->ended_at);
  }
}

TEST_CASE("the loop computes for a client that is alone, and says the same") {
  WorkerPool pool(tests::bts_model(), 1, 100);
  const auto first = inference_of(1);
  REQUIRE(run_all(pool, {first}) == std::vector<Ending>{Ending::done});
  bool is_by_loop = false;
  const auto end = Clock::now() + kLong;  // On a busy machine a row may take long, and goes away.
  while (!is_by_loop && Clock::now() < end) {
    const auto inference = inference_of(1);
    boost::asio::io_context io(1);
    auto ending = boost::asio::co_spawn(io, pool.run(inference), boost::asio::use_future);
    io.poll();  // Enough where nobody else has to come to an end.
    is_by_loop = ending.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    io.run();
    REQUIRE(ending.get() == Ending::done);
    REQUIRE(inference->outputs == first->outputs);
  }
  CHECK(is_by_loop);
}

TEST_CASE("what the queue has no place for is refused at once") {
  WorkerPool pool(tests::bts_model(), 1, 2);
  std::vector<std::shared_ptr<Inference>> inferences;
  for (int i = 0; i < 20; ++i) inferences.push_back(inference_of(200));
  const auto endings = run_all(pool, inferences);
  const auto done = std::count(endings.begin(), endings.end(), Ending::done);
  const auto refused = std::count(endings.begin(), endings.end(), Ending::queue_full);
  CHECK(done >= 2);
  CHECK(refused > 0);
  CHECK(done + refused == 20);
}

TEST_CASE("what comes too late is not computed, and does not hold up the next") {
  WorkerPool pool(tests::bts_model(), 1, 100);
  const auto late = inference_of(1'000'000, std::chrono::milliseconds(1));
  const auto next = inference_of(1);
  std::vector<std::size_t> rows;  // computed
  late->on_end = next->on_end = [&](const Inference& ended) {
    rows.push_back(ended.outputs.size());
    CHECK(ended.queued_at <= ended.begun_at);
    CHECK(ended.begun_at <= ended.ended_at);
  };
  const auto endings = run_all(pool, {late, next});
  CHECK(endings == std::vector<Ending>{Ending::late, Ending::done});
  REQUIRE(rows.size() == 2);  // the late one, too, tells what it took
  CHECK(rows[0] < 1'000'000);
  CHECK(rows[1] == 1);
}

TEST_CASE("a network that fails tells why, and computes the next") {
  WorkerPool pool(tests::bts_model(), 1, 100);
  const auto failing = inference_of(1);
  const auto next = inference_of(1);
  {
    const NoMemory no_memory;
    CHECK(run_all(pool, {failing}) == std::vector<Ending>{Ending::failed});
  }
  CHECK(failing->failure == "OpenCV cannot run model.onnx: no memory");
  CHECK(run_all(pool, {next}) == std::vector<Ending>{Ending::done});
}

TEST_CASE("a pool ends while inferences wait in its queue") {
  boost::asio::io_context io(1);
  WorkerPool pool(tests::bts_model(), 1, 100);
  for (int i = 0; i < 50; ++i) {
    boost::asio::co_spawn(io, pool.run(inference_of(50)), boost::asio::detached);
  }
  io.poll();
  SUCCEED("the destructors do not wait for each other");
}
