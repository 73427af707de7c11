#include "model_server/worker_pool.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace model_server {

namespace asio = boost::asio;

namespace {

/// Stops at the deadline, for then nobody waits for the result.
void compute(Inference& inference, Network& network, std::size_t input_size) {
  const std::span<const float> inputs = inference.inputs;
  inference.outputs.reserve(inference.rows);
  inference.begun_at = Clock::now();
  try {
    for (std::size_t row = 0; row < inference.rows; ++row) {
      if (Clock::now() >= inference.deadline) break;
      const auto input = inputs.subspan(row * input_size, input_size);
      inference.outputs.push_back(network.predict(input));
    }
  } catch (const std::exception& error) {
    inference.failure = error.what();
  }
  inference.ended_at = Clock::now();
}

/// One more, as long as it lives.
class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  std::size_t& count_;
};

}  // namespace

WorkerPool::WorkerPool(const ModelFiles& files, std::size_t workers, std::size_t queue_length)
    : input_size_(files.manifest.input.size()), queue_length_(queue_length), network_(files) {
  networks_.reserve(workers);
  for (std::size_t i = 0; i < workers; ++i) networks_.emplace_back(files);
  threads_.reserve(workers);
  try {
    for (auto& network : networks_) threads_.emplace_back([this, &network] { work(network); });
  } catch (const std::system_error& error) {
    stop();
    throw std::runtime_error("cannot start " + std::to_string(workers) + " workers: " +
                             error.code().message() + "; see --workers, and TasksMax of the unit");
  } catch (...) {  // no memory: threads that run must not be destroyed
    stop();
    throw;
  }
}

WorkerPool::~WorkerPool() { stop(); }

void WorkerPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

asio::awaitable<Ending> WorkerPool::run(std::shared_ptr<Inference> inference) {
  inference->queued_at = Clock::now();
  auto ending = Ending::done;
  if (choice_.is_for_loop(inference->rows, under_way_)) {
    compute(*inference, network_, input_size_);
    if (inference->on_end) inference->on_end(*inference);
  } else {
    const Counted counted(under_way_);
    ending = co_await hand_over(inference);
  }
  if (ending != Ending::done) co_return ending;
  if (!inference->failure.empty()) co_return Ending::failed;
  choice_.learn(inference->outputs.size(), inference->ended_at - inference->begun_at);
  co_return inference->outputs.size() == inference->rows ? Ending::done : Ending::late;
}

/// Ending::done when a worker is through with it, whatever came of it.
asio::awaitable<Ending> WorkerPool::hand_over(std::shared_ptr<Inference> inference) {
  const auto io = co_await asio::this_coro::executor;
  const auto alarm = std::make_shared<asio::steady_timer>(io, inference->deadline);
  bool is_full = false;
  {
    const std::lock_guard lock(mutex_);
    is_full = queue_.size() >= queue_length_;
    if (!is_full) queue_.push_back({std::move(inference), alarm});
  }
  if (is_full) co_return Ending::queue_full;
  changed_.notify_one();
  // The worker cancels it in a handler of this loop, and so not before we wait.
  const auto [cancelled] = co_await alarm->async_wait(asio::as_tuple(asio::use_awaitable));
  co_return cancelled ? Ending::done : Ending::late;
}

/// False when the pool ends.
bool WorkerPool::take_next(Job& job) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_stopping_ || !queue_.empty(); });
  if (is_stopping_) return false;
  job = std::move(queue_.front());
  queue_.pop_front();
  return true;
}

void WorkerPool::work(Network& network) {
  for (Job job; take_next(job);) {
    compute(*job.inference, network, input_size_);
    const auto io = job.alarm->get_executor();
    // The whole job goes back: what the loop made is freed there, too.
    asio::post(io, [finished = std::move(job)] {
      if (finished.inference->on_end) finished.inference->on_end(*finished.inference);
      finished.alarm->cancel();
    });
  }
}

}  // namespace model_server
