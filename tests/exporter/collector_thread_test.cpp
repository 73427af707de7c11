#include "exporter/collector_thread.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch.hpp>

#include "tests/exporter/fake_collectors.hpp"

using exporter::Clock;
using exporter::CollectorThread;
using exporter::Wish;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

constexpr auto kPatience = 20s;  // of the test itself; never reached when it passes

std::atomic<int> g_passes = 0;
std::counting_semaphore<> g_entered(0);
std::counting_semaphore<> g_leave(0);

/// Counts its passes on the page.
const auto kCounting = tests::spec("counting", [](const collectors::Host&) {
  return tests::fake([] { return ++g_passes, metrics::Result<void>(); },
                     [](metrics::Sink& sink) {
                       sink.single({"passes", "How often refresh() ran."}, g_passes.load());
                     });
});
/// Hangs in refresh() until the test lets it go.
const auto kStuck = tests::spec("stuck", [](const collectors::Host&) {
  return tests::fake([] {
    g_entered.release();
    g_leave.acquire();
    return metrics::Result<void>();
  });
});

struct Threads {
  tests::ScraperHost host;
  asio::io_context io{1};
  CollectorThread thread{io, host.scraper, host.self, 1h};
  std::vector<std::string> pages;

  explicit Threads(std::vector<const collectors::CollectorSpec*> specs) : host(std::move(specs)) {}

  void ask(Clock::duration budget) {
    asio::co_spawn(
        io,
        [this, budget]() -> asio::awaitable<void> {
          const auto page = co_await thread.scrape({.selection = host.all()}, budget);
          pages.emplace_back(page->text.text());
        },
        asio::detached);
  }
  /// Does the io thread's work until it has come to what the test waits for.
  template <class Predicate>
  void run_until(Predicate is_done) {
    const auto deadline = Clock::now() + kPatience;
    while (!is_done() && Clock::now() < deadline) {
      io.restart();
      io.run_one_for(100ms);
    }
    REQUIRE(is_done());
  }
  void wait_for(std::size_t count) {
    run_until([&] { return pages.size() == count; });
  }
};

}  // namespace

TEST_CASE("requests that wait for the same pass share it") {
  g_passes = 0;
  Threads threads({&kCounting, &kStuck});
  threads.ask(kPatience);
  threads.io.poll();  // the first pass begins
  g_entered.acquire();
  for (int i = 0; i < 10; ++i) threads.ask(kPatience);  // these came too late for it
  while (threads.io.poll_one() > 0) {
  }
  CHECK(threads.pages.empty());
  g_leave.release(2);
  threads.wait_for(11);
  CHECK(g_passes == 2);
  CHECK_THAT(threads.pages[0], Catch::Contains("\npasses 1\n"));
  for (std::size_t i = 1; i < threads.pages.size(); ++i) {
    CHECK_THAT(threads.pages[i], Catch::Contains("\npasses 2\n"));
  }
  g_entered.acquire();
}

TEST_CASE("a stuck collector is left out and flagged at the deadline; the others are served") {
  g_passes = 0;
  Threads threads({&kCounting, &kStuck});
  threads.ask(50ms);
  threads.io.poll();
  g_entered.acquire();  // the collector before it has been recorded, however slow the machine is
  threads.wait_for(1);
  CHECK_THAT(threads.pages[0], Catch::Contains("\npasses 1\n"));
  CHECK_THAT(threads.pages[0], Catch::Contains("success{collector=\"stuck\"} 0\n"));
  CHECK_THAT(threads.pages[0], Catch::Contains("success{collector=\"counting\"} 1\n"));

  SECTION("a request during the hang is told that all are late, in time") {
    threads.ask(50ms);
    threads.wait_for(2);
    CHECK_THAT(threads.pages[1], Catch::Contains("success{collector=\"counting\"} 0\n"));
    CHECK_THAT(threads.pages[1], Catch::Contains("resource_exporter_build_info"));
    g_leave.release();
  }
  SECTION("when the hang ends, everything is there again") {
    g_leave.release(2);
    threads.ask(kPatience);
    threads.wait_for(2);
    CHECK_THAT(threads.pages[1], Catch::Contains("success{collector=\"stuck\"} 1\n"));
    g_entered.acquire();
  }
}

TEST_CASE("ticks begin at once and reach the collectors") {
  static std::counting_semaphore<> ticked(0);
  class Ticked final : public collectors::Collector {
   public:
    explicit Ticked(const collectors::Host& /*host*/) {}
    void tick(collectors::Clock::time_point /*now*/) override { ticked.release(); }
    metrics::Result<void> refresh(collectors::Clock::time_point /*now*/) override { return {}; }
    void emit(metrics::Sink& /*sink*/) const override {}
  };
  const auto spec = tests::spec("ticked", collectors::make_collector<Ticked>);
  tests::ScraperHost host({&spec});
  asio::io_context io(1);
  CollectorThread thread(io, host.scraper, host.self, 1ms);
  CHECK(ticked.try_acquire_for(kPatience));
  CHECK(ticked.try_acquire_for(kPatience));
  CHECK(thread.last_tick() != exporter::Clock::time_point{});
}

TEST_CASE("stop tells when the thread is done") {
  Threads threads({&kCounting});
  bool is_stopped = false;
  threads.thread.stop([&] { is_stopped = true; });
  threads.run_until([&] { return is_stopped; });
}
