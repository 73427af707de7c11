#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "collectors/process/command_line_reader.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/fixture_host.hpp"

using collectors::CommandLineReader;
using collectors::ProcessBasics;
using collectors::ProcessIdentity;
using Line = CommandLineReader::Line;

namespace {

constexpr auto kSecond = std::chrono::seconds(1);

ProcessBasics reader_process(std::int32_t pid, std::uint32_t execs = 1) {
  ProcessBasics process;
  process.identity = {pid, 1000};
  process.execs = execs;
  return process;
}

/// Fails the test after 20 s.
template <class Condition>
void wait_until(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::yield();
  }
}

/// A kernel that holds up whoever reads the command line of certain processes.
class HangingKernel {
 public:
  ~HangingKernel() { release_all(); }

  void hang(std::int32_t pid) {
    const std::lock_guard lock(mutex_);
    hanging_.insert(pid);
  }
  void release_all() {
    const std::lock_guard lock(mutex_);
    hanging_.clear();
    changed_.notify_all();
  }
  CommandLineReader::ReadLine read_line() {
    return [this](const ProcessIdentity& identity) {
      std::unique_lock lock(mutex_);
      ++begun;
      changed_.wait(lock, [&] { return !hanging_.contains(identity.pid); });
      ++ended;
      return std::string(line_bytes, 'x');
    };
  }

  std::atomic<int> begun = 0, ended = 0, readers = 0;
  std::size_t line_bytes = 8;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::int32_t> hanging_;
};

/// A reader whose kernel and clock the test has in hand. Ends when no thread is within the kernel.
class ReaderHost {
 public:
  ReaderHost() = default;
  ReaderHost(const ReaderHost&) = delete;
  ReaderHost& operator=(const ReaderHost&) = delete;
  ~ReaderHost() {
    kernel.release_all();
    wait_until([this] { return kernel.begun == kernel.ended; });
  }

  bool is_pending(std::int32_t pid) { return reader.of(reader_process(pid), false).is_pending; }
  /// What comes in the end.
  Line line_of(std::int32_t pid) {
    Line line;
    wait_until([&] {
      line = reader.of(reader_process(pid), false);
      return !line.is_pending;
    });
    return line;
  }
  /// Until the read of a process that hangs has begun.
  void ask_and_hang(std::int32_t pid) {
    kernel.hang(pid);
    const int before = kernel.begun;
    REQUIRE(is_pending(pid));
    wait_until([&] { return kernel.begun > before; });
  }
  /// So much later, in the steps of a sampler that asks for `pid`.
  void pass(int seconds, std::int32_t pid) {
    for (int second = 0; second < seconds; ++second) {
      (void)reader.of(reader_process(pid), false);
      now += kSecond;
    }
  }

  HangingKernel kernel;
  procfs::Clock::time_point now = tests::at_second(0);
  CommandLineReader reader{[this]() -> metrics::Result<CommandLineReader::ReadLine> {
                             ++kernel.readers;
                             return kernel.read_line();
                           },
                           [this] { return now; }};
};

}  // namespace

TEST_CASE("a command line is read once, and handed on once") {
  ReaderHost host;
  CHECK(host.is_pending(7));
  CHECK(host.line_of(7).arguments == "xxxxxxxx");
  CHECK(host.kernel.begun == 1);
  CHECK(host.is_pending(7));
  CHECK(host.line_of(7).arguments == "xxxxxxxx");
  CHECK(host.kernel.begun == 2);
  CHECK(host.kernel.readers == 1);
}

TEST_CASE("an ended process has the line that was there before its end, or none") {
  ReaderHost host;
  CHECK_FALSE(host.reader.of(reader_process(7), true).arguments);
  CHECK(host.is_pending(7));
  wait_until([&] { return host.kernel.ended == 1; });
  wait_until([&] {  // read, but not yet in the answers, is as not read
    const auto line = host.reader.of(reader_process(7), true);
    CHECK_FALSE(line.is_pending);
    if (!line.arguments) (void)host.is_pending(7);
    return line.arguments.has_value();
  });
  CHECK_FALSE(host.reader.of(reader_process(7), true).arguments);
}

TEST_CASE("after an exec the line is read anew") {
  ReaderHost host;
  host.ask_and_hang(7);
  CHECK(host.reader.of(reader_process(7, 2), false).is_pending);
  host.kernel.release_all();
  wait_until([&] { return host.kernel.ended == 2; });
}

TEST_CASE("a process whose line hangs is set aside, and the others are read by another thread") {
  ReaderHost host;
  host.ask_and_hang(7);
  CHECK(host.is_pending(8));
  host.pass(1, 8);
  CHECK(host.line_of(8).arguments == "xxxxxxxx");
  CHECK(host.reader.stuck() == 1);
  CHECK_FALSE(host.line_of(7).arguments);
  CHECK(host.reader.late() == 1);

  // Another exec of it does not cost another thread.
  const auto again = host.reader.of(reader_process(7, 2), false);
  CHECK_FALSE(again.is_pending);
  CHECK_FALSE(again.arguments);
  CHECK(host.kernel.readers == 2);

  host.kernel.release_all();
  wait_until([&] { return host.reader.stuck() == 0; });
  CHECK(host.line_of(7).arguments == "xxxxxxxx");
  CHECK(host.kernel.readers == 2);
}

TEST_CASE("when all threads hang, processes do without a line in the end") {
  ReaderHost host;
  for (int pid = 1; pid <= static_cast<int>(CommandLineReader::kMaxThreads); ++pid) {
    host.ask_and_hang(pid);
    host.pass(2, pid);
  }
  CHECK(host.is_pending(100));
  host.pass(9, 100);
  CHECK(host.is_pending(100));
  host.now += kSecond;
  const auto line = host.reader.of(reader_process(100), false);
  CHECK_FALSE(line.is_pending);
  CHECK_FALSE(line.arguments);
  CHECK(host.reader.stuck() == CommandLineReader::kMaxThreads);
  CHECK(host.kernel.readers == static_cast<int>(CommandLineReader::kMaxThreads));
}

TEST_CASE("a reader that gets no thread goes on asking for one") {
  std::atomic<int> refused = 0;
  HangingKernel kernel;
  auto now = tests::at_second(0);
  CommandLineReader reader(
      [&]() -> metrics::Result<CommandLineReader::ReadLine> {
        if (refused++ < 3) return metrics::Error{metrics::Errc::io, "no descriptor"};
        return kernel.read_line();
      },
      [&] { return now; });
  wait_until([&] { return !reader.of(reader_process(7), false).is_pending; });
  CHECK(refused == 4);
  CHECK(reader.late() == 0);
}

TEST_CASE("lines that nobody has taken are bounded, and taking them lets the rest come") {
  ReaderHost host;
  host.kernel.line_bytes = 1U << 20U;
  constexpr int kAtOnce = CommandLineReader::kMaxHeldBytes >> 20U;
  const int asked = 3 * kAtOnce;
  for (int pid = 1; pid <= asked; ++pid) (void)host.is_pending(pid);
  wait_until([&] { return host.kernel.ended >= kAtOnce; });
  for (int pid = 1; pid <= asked; ++pid) CHECK(host.line_of(pid).arguments->size() == 1U << 20U);
  CHECK(host.kernel.ended == asked);
  for (int pid = 1; pid <= asked; ++pid) (void)host.is_pending(pid);
  wait_until([&] { return host.kernel.ended >= asked + kAtOnce; });
  for (int pid = 1; pid <= asked; ++pid) host.reader.forget({pid, 1000});
  CHECK(host.line_of(asked + 1).arguments);
  CHECK(host.kernel.ended <= asked + 2 * kAtOnce);
}

TEST_CASE("no more than 4,096 are asked for at a time, the others later") {
  ReaderHost host;
  host.ask_and_hang(1);
  for (int pid = 2; pid <= 5000; ++pid) CHECK(host.is_pending(pid));
  for (int pid = 2; pid <= 5000; ++pid) host.reader.forget({pid, 1000});
  for (int pid = 5001; pid <= 9000; ++pid) CHECK(host.is_pending(pid));
  host.kernel.release_all();
  CHECK(host.line_of(9000).arguments);
  CHECK(host.kernel.begun <= 1 + static_cast<int>(CommandLineReader::kMaxAsked));
}

TEST_CASE("the line of a process that has the pid of another by now is not its") {
  const auto [start_ticks, line] = GENERATE(table<int, std::optional<std::string>>({
      {1000, tests::command_line_of({"train", "--fast"})},
      {1001, std::nullopt},
  }));
  tests::FileTree tree;
  tree.write("proc/7/cmdline", tests::command_line_of({"train", "--fast"}));
  tree.write("proc/7/stat", "7 (train) S 1 1 1 0 -1 0 11 0 12 0 1 50 0 0 20 0 2 0 " +
                                std::to_string(start_ticks) + " 65536 1 0\n");
  const auto proc = tests::open_mount(tree.path() / "proc");
  CommandLineReader reader(proc);
  Line found;
  wait_until([&] {
    found = reader.of(reader_process(7), false);
    return !found.is_pending;
  });
  CHECK(found.arguments == line);
}
