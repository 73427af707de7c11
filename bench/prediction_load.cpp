// Asks a model server for predictions as fast as it answers, over a number of kept connections with
// one request under way on each, like as many clients. One thread, which waits for all of them at
// once: the less the client costs, the more of the machine the server has. Prints one JSON object.
//
//   prediction_load --pid 4711 --port 8080 --connections 64 --seconds 5

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bench/loopback.hpp"
#include "bench/measure.hpp"

namespace {

constexpr std::size_t kDifferentRequests = 512;
constexpr int kPatienceMs = 30'000;
constexpr double kNanosecondsPerSecond = 1e9;

struct Options {
  std::vector<pid_t> pids;
  std::uint16_t port = 0;
  std::size_t connections = 1;
  double seconds = 5;
  double warm_up_seconds = 1;
  std::size_t input_size = 6;
};

/// A form as python-requests sends it, of random values in -1..1 with as many digits.
std::string request_text(const Options& options, std::mt19937_64& random) {
  std::uniform_real_distribution<double> even(-1, 1);
  std::string body = "inputs=%5B%5B%5B";
  for (std::size_t i = 0; i < options.input_size; ++i) {
    std::array<char, 32> digits{};
    const auto [end, error] = std::to_chars(digits.begin(), digits.end(), even(random));
    body.append(i > 0 ? "%2C+" : "").append(digits.begin(), end);
  }
  body += "%5D%5D%5D";
  return "POST /prediction HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options.port) +
         "\r\nUser-Agent: prediction_load\r\nAccept: */*\r\n"
         "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// One client: sends a request when told, and takes its answer in pieces.
class Connection {
 public:
  Connection(std::uint16_t port, int epoll) : port_(port), epoll_(epoll) { connect(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { ::close(socket_); }

  void send(std::string_view request) {
    received_.clear();
    sent_at_ = bench::wall_nanoseconds();
    const auto sent = ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(request.size())) bench::throw_errno("send");
  }

  /// Takes what has come; true when the answer is whole. Throws when it is not a prediction.
  bool receive() {
    std::array<char, 8192> bytes;
    const auto count = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (count < 0) bench::throw_errno("recv");
    received_.append(bytes.data(), static_cast<std::size_t>(count));
    if (!is_whole()) {
      if (count == 0) throw std::runtime_error("the server closed amid an answer");
      return false;
    }
    if (received_.compare(9, 3, "200") != 0 ||
        received_.find("prediction_result") == std::string::npos) {
      throw std::runtime_error("no prediction: " + received_);
    }
    latency_ns_ = bench::wall_nanoseconds() - sent_at_;
    if (bench::equal_ignoring_case(bench::field_of(head_, "Connection"), "close")) {
      ::close(socket_);
      connect();
      ++reconnects_;
    }
    return true;
  }

  [[nodiscard]] std::int64_t latency_ns() const { return latency_ns_; }
  [[nodiscard]] std::size_t reconnects() const { return reconnects_; }

 private:
  void connect() {
    socket_ = bench::connect_to(port_);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = this;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, socket_, &event) != 0) bench::throw_errno("epoll_ctl");
  }

  bool is_whole() {
    const auto end = received_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    head_ = std::string_view(received_).substr(0, end);
    return received_.size() >= end + 4 + bench::to_size(bench::field_of(head_, "Content-Length"));
  }

  std::uint16_t port_;
  int epoll_;
  int socket_ = -1;
  std::int64_t sent_at_ = 0;
  std::int64_t latency_ns_ = 0;
  std::size_t reconnects_ = 0;
  std::string received_;
  std::string_view head_;  // of it, once it is there
};

std::int64_t cpu_nanoseconds(const Options& options) {
  std::int64_t sum = 0;
  for (const auto pid : options.pids) sum += bench::cpu_nanoseconds_of(pid);
  return sum;
}

/// A value in KiB of /proc/<pid>/status, of all processes of the server together.
long status_kib(const Options& options, std::string_view key) {
  long sum = 0;
  for (const auto pid : options.pids) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with(key)) sum += std::stol(line.substr(key.size()));
    }
  }
  return sum;
}

class Load {
 public:
  explicit Load(const Options& options) : options_(options) {
    std::mt19937_64 random(1);
    for (std::size_t i = 0; i < kDifferentRequests; ++i) {
      requests_.push_back(request_text(options_, random));
    }
    if (epoll_ < 0) bench::throw_errno("epoll_create1");
    for (std::size_t i = 0; i < options_.connections; ++i) {
      connections_.push_back(std::make_unique<Connection>(options_.port, epoll_));
      connections_.back()->send(next_request());
    }
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() { ::close(epoll_); }

  /// Goes on for some time, and keeps how long each answer took that came in it.
  std::vector<double> run_for(double seconds) {
    std::vector<double> latencies_ms;
    const auto end =
        bench::wall_nanoseconds() + static_cast<std::int64_t>(seconds * kNanosecondsPerSecond);
    while (bench::wall_nanoseconds() < end) {
      std::array<epoll_event, 64> events{};
      const auto count = wait(events);
      for (int i = 0; i < count; ++i) {
        auto& connection =
            *static_cast<Connection*>(events.at(static_cast<std::size_t>(i)).data.ptr);
        if (!connection.receive()) continue;
        latencies_ms.push_back(static_cast<double>(connection.latency_ns()) / 1e6);
        connection.send(next_request());
      }
    }
    return latencies_ms;
  }

  [[nodiscard]] std::size_t reconnects() const {
    std::size_t sum = 0;
    for (const auto& connection : connections_) sum += connection->reconnects();
    return sum;
  }

 private:
  /// With one request under way there is nothing else to do, so it looks without sleeping: the time
  /// to be woken is the client's, not the server's.
  int wait(std::array<epoll_event, 64>& events) const {
    const auto end = bench::wall_nanoseconds() + kPatienceMs * 1'000'000LL;
    const int patience_ms = connections_.size() == 1 ? 0 : kPatienceMs;
    for (;;) {
      const auto count =
          epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), patience_ms);
      if (count > 0) return count;
      if (count < 0 && errno != EINTR) bench::throw_errno("epoll_wait");
      if (bench::wall_nanoseconds() > end) throw std::runtime_error("no answer in time");
    }
  }

  const std::string& next_request() { return requests_[next_++ % requests_.size()]; }

  const Options& options_;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<std::string> requests_;
  std::size_t next_ = 0;
  std::vector<std::unique_ptr<Connection>> connections_;
};

void run(const Options& options) {
  Load load(options);
  (void)load.run_for(options.warm_up_seconds);
  const auto cpu_before = cpu_nanoseconds(options);
  const auto begin = bench::wall_nanoseconds();
  const auto latencies_ms = load.run_for(options.seconds);
  const auto elapsed_ns = static_cast<double>(bench::wall_nanoseconds() - begin);
  const auto cpu_ns = static_cast<double>(cpu_nanoseconds(options) - cpu_before);
  if (latencies_ms.empty()) throw std::runtime_error("no answer in time");
  const auto count = static_cast<double>(latencies_ms.size());
  std::printf(
      "{\"connections\": %zu, \"requests\": %zu, \"requests_per_second\": %.1f, \"p50_ms\": %.4f, "
      "\"p99_ms\": %.4f, \"cpu_us\": %.2f, \"rss_kib\": %ld, \"peak_rss_kib\": %ld, "
      "\"reconnects\": %zu}\n",
      options.connections, latencies_ms.size(), count / elapsed_ns * kNanosecondsPerSecond,
      bench::median(latencies_ms), bench::quantile(latencies_ms, 0.99), cpu_ns / 1e3 / count,
      status_kib(options, "VmRSS:"), status_kib(options, "VmHWM:"), load.reconnects());
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app{"Asks a model server for predictions and measures how it answers"};
  app.add_option("--pid", options.pids, "Process of the server, may be repeated")->required();
  app.add_option("--port", options.port, "Port on 127.0.0.1")->required();
  app.add_option("--connections", options.connections, "Requests under way at once")
      ->check(CLI::Range(1, 512));
  app.add_option("--seconds", options.seconds, "Measured time")->check(CLI::PositiveNumber);
  app.add_option("--warm-up", options.warm_up_seconds, "Seconds before, not measured");
  app.add_option("--input-size", options.input_size, "Values in an input");
  CLI11_PARSE(app, argc, argv);
  run(options);
} catch (const std::exception& error) {
  std::fprintf(stderr, "prediction_load: %s\n", error.what());
  return 1;
}
