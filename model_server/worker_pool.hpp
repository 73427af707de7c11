#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "model_server/hand_over.hpp"
#include "model_server/model.hpp"

namespace model_server {

using Clock = std::chrono::steady_clock;

enum class Ending : std::uint8_t {
  done,
  failed,      ///< The network threw.
  queue_full,  ///< It was not even begun.
  late,        ///< The deadline passed before the end.
};

/// Rows for the network to compute, and what became of them.
struct Inference {
  std::vector<float> inputs;  ///< Of all rows, one after the other.
  std::size_t rows = 0;
  Clock::time_point deadline;

  /// Called in the loop when it was computed, and before run() goes on: after Ending::late, too,
  /// even when the pool is no more.
  std::function<void(const Inference&)> on_end = {};

  // Set by the worker; not to be looked at after Ending::late but in on_end.
  std::vector<float> outputs = {};  ///< One for each row, when it is done.
  std::string failure = {};         ///< Why the network failed.
  Clock::time_point queued_at = {}, begun_at = {}, ended_at = {};
};

/// Threads with a network each, and a queue in front of them that has an end. The loop that brings
/// the jobs has a network, too, for those that are not worth another thread (HandOver).
class WorkerPool {
 public:
  /// Throws as Network does, and std::runtime_error where so many threads are not to be had.
  WorkerPool(const ModelFiles& files, std::size_t workers, std::size_t queue_length);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  WorkerPool(WorkerPool&&) = delete;
  WorkerPool& operator=(WorkerPool&&) = delete;
  ~WorkerPool();  ///< Waits for the inferences under way; those in the queue are dropped.

  /// Computes it, here or in a worker, and goes on at the end or at the deadline. In a coroutine of
  /// a loop that one thread runs, always the same loop; the pool keeps the inference as long as a
  /// worker may touch it.
  boost::asio::awaitable<Ending> run(std::shared_ptr<Inference> inference);

 private:
  struct Job {
    std::shared_ptr<Inference> inference;
    std::shared_ptr<boost::asio::steady_timer> alarm;  // of the loop that waits
  };

  boost::asio::awaitable<Ending> hand_over(std::shared_ptr<Inference> inference);
  void work(Network& network);
  bool take_next(Job& job);
  void stop();

  std::size_t input_size_;
  std::size_t queue_length_;
  std::mutex mutex_;  // guards the queue and is_stopping_
  std::condition_variable changed_;
  std::deque<Job> queue_;
  bool is_stopping_ = false;
  HandOver choice_;            // The loop's, as are the next two.
  std::size_t under_way_ = 0;  // handed over, and not ended
  Network network_;
  std::vector<Network> networks_;  // a worker's each
  std::vector<std::thread> threads_;
};

}  // namespace model_server
