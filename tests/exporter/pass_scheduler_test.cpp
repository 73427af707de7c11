#include "exporter/pass_scheduler.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "tests/exporter/fake_collectors.hpp"

using exporter::Clock;
using exporter::PassScheduler;
using exporter::Wish;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

constexpr auto kForever = 20s;  // of the test itself; never reached when it passes

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

/// Serves until the end of the test, whose own thread asks and looks.
struct ServingPasses {
  tests::ScraperHost host;
  asio::io_context io;
  exporter::LeaderFollowers threads{io, 1ms};
  PassScheduler scheduler;
  std::thread runner{[this] { threads.run(); }};

  explicit ServingPasses(std::vector<const collectors::CollectorSpec*> specs,
                         std::chrono::nanoseconds interval = 1h)
      : host(std::move(specs)), scheduler(io, threads, host.scraper, host.self, interval) {}
  ServingPasses(const ServingPasses&) = delete;
  ServingPasses& operator=(const ServingPasses&) = delete;
  ~ServingPasses() {
    io.stop();
    runner.join();
  }

  std::future<std::string> ask(Clock::duration budget) {
    const auto answer = std::make_shared<std::promise<std::string>>();
    asio::co_spawn(
        io,
        [this, budget, answer]() -> asio::awaitable<void> {
          const auto page = co_await scheduler.scrape({.selection = host.all()}, budget);
          answer->set_value(std::string(page->text.text()));
        },
        asio::detached);
    return answer->get_future();
  }
  /// Runs `look` as a handler, after those that are ready now.
  template <class Look>
  auto on_loop(Look look) {
    std::packaged_task<std::invoke_result_t<Look>()> task(std::move(look));
    asio::post(io, [&] { task(); });
    return task.get_future().get();
  }
};

template <class T>
T get(std::future<T> future) {
  REQUIRE(future.wait_for(kForever) == std::future_status::ready);
  return future.get();
}

}  // namespace

TEST_CASE("requests that wait for the same pass share it") {
  g_passes = 0;
  ServingPasses serving({&kCounting, &kStuck});
  auto first = serving.ask(kForever);
  g_entered.acquire();  // the first pass has begun: the next ones come too late for it
  std::vector<std::future<std::string>> others;
  for (int i = 0; i < 10; ++i) others.push_back(serving.ask(kForever));
  serving.on_loop([] {});
  g_leave.release(2);
  CHECK_THAT(get(std::move(first)), Catch::Contains("\npasses 1\n"));
  for (auto& other : others) CHECK_THAT(get(std::move(other)), Catch::Contains("\npasses 2\n"));
  CHECK(g_passes == 2);
  g_entered.acquire();
}

TEST_CASE("requests that come together share their first pass") {
  g_passes = 0;
  ServingPasses serving({&kCounting});
  std::vector<std::future<std::string>> together;
  serving.on_loop([&] {
    for (int i = 0; i < 10; ++i) together.push_back(serving.ask(kForever));
  });
  for (auto& one : together) CHECK_THAT(get(std::move(one)), Catch::Contains("\npasses 1\n"));
}

TEST_CASE("a stuck collector is left out and flagged at the deadline; the others are served") {
  g_passes = 0;
  ServingPasses serving({&kCounting, &kStuck});
  auto asked = serving.ask(50ms);
  g_entered.acquire();  // the collector before it has been recorded, however slow the machine is
  const auto page = get(std::move(asked));
  CHECK_THAT(page, Catch::Contains("\npasses 1\n"));
  CHECK_THAT(page, Catch::Contains("success{collector=\"stuck\"} 0\n"));
  CHECK_THAT(page, Catch::Contains("success{collector=\"counting\"} 1\n"));

  SECTION("a request during the hang is told that all are late, in time") {
    const auto later = get(serving.ask(50ms));
    CHECK_THAT(later, Catch::Contains("success{collector=\"counting\"} 0\n"));
    CHECK_THAT(later, Catch::Contains("resource_exporter_build_info"));
    g_leave.release();
  }
  SECTION("when the hang ends, everything is there again") {
    g_leave.release(2);
    const auto later = get(serving.ask(kForever));
    CHECK_THAT(later, Catch::Contains("success{collector=\"stuck\"} 1\n"));
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
  ServingPasses serving({&spec}, 1ms);
  CHECK(ticked.try_acquire_for(kForever));
  CHECK(ticked.try_acquire_for(kForever));
  CHECK(serving.on_loop([&] { return serving.scheduler.last_tick(); }) != Clock::time_point{});
  metrics::TextEncoder page(metrics::TextFormat::prometheus_0_0_4);
  serving.host.self.emit(page);
  CHECK(page.text().find("sampler_cpu_seconds_total 0\n") == std::string_view::npos);
}

TEST_CASE("a tick that falls into a pass comes before the next one, however many ask") {
  static std::mutex mutex;
  static std::string order;
  class Ordered final : public collectors::Collector {
   public:
    explicit Ordered(const collectors::Host& /*host*/) {}
    void tick(collectors::Clock::time_point /*now*/) override { note('t'); }
    metrics::Result<void> refresh(collectors::Clock::time_point /*now*/) override {
      note('p');
      return {};
    }
    void emit(metrics::Sink& /*sink*/) const override {}

   private:
    static void note(char what) {
      const std::lock_guard lock(mutex);
      order += what;
    }
  };
  const auto spec = tests::spec("ordered", collectors::make_collector<Ordered>);
  ServingPasses serving({&spec, &kStuck}, 10ms);
  auto first = serving.ask(kForever);
  g_entered.acquire();
  get(serving.ask(30ms));  // past two beats, while the first pass is stuck
  {
    const std::lock_guard lock(mutex);
    order.clear();
  }
  auto second = serving.ask(kForever);
  serving.on_loop([] {});
  g_leave.release(2);
  get(std::move(first));
  get(std::move(second));
  g_entered.acquire();
  const std::lock_guard lock(mutex);
  CHECK_THAT(order, Catch::StartsWith("tp"));
}

TEST_CASE("a pass that waits for somebody lets the ticks be, and does not end before") {
  static std::atomic<int> ticks;
  class Patient final : public collectors::Collector {
   public:
    explicit Patient(const collectors::Host& /*host*/) {}
    void tick(collectors::Clock::time_point /*now*/) override { ++ticks; }
    void begin(collectors::Clock::time_point /*now*/,
               collectors::Clock::time_point /*deadline*/) override {
      wanted_ = ticks + 3;  // NOLINT(readability-magic-numbers)
    }
    bool wait(collectors::Clock::time_point until) override {
      if (ticks >= wanted_) return true;
      std::this_thread::sleep_until(until);  // as who waits for an answer does
      return false;
    }
    metrics::Result<void> refresh(collectors::Clock::time_point /*now*/) override { return {}; }
    void emit(metrics::Sink& sink) const override { sink.single({"patient", "It was."}, 1); }

   private:
    int wanted_ = 0;
  };
  ticks = 0;
  g_passes = 0;
  const auto spec = tests::spec("patient", collectors::make_collector<Patient>);
  ServingPasses serving({&spec, &kCounting}, 1ms);
  const auto page = get(serving.ask(kForever));
  CHECK_THAT(page, Catch::Contains("\npatient 1\n"));
  CHECK_THAT(page, Catch::Contains("\npasses 1\n"));
  CHECK(g_passes == 1);
}

TEST_CASE("the end waits for a pass that waits for somebody") {
  static std::counting_semaphore<> waits(0);
  static std::counting_semaphore<> came(0);
  class Host final : public collectors::Collector {
   public:
    explicit Host(const collectors::Host& /*host*/) {}
    bool wait(collectors::Clock::time_point until) override {
      waits.release();
      has_come_ = has_come_ || came.try_acquire_until(std::min(until, Clock::now() + kForever));
      return has_come_;
    }
    metrics::Result<void> refresh(collectors::Clock::time_point /*now*/) override { return {}; }
    void emit(metrics::Sink& sink) const override { sink.single({"guest", "Has come."}, 1); }

   private:
    bool has_come_ = false;
  };
  const auto spec = tests::spec("host", collectors::make_collector<Host>);
  ServingPasses serving({&spec}, 1ms);
  auto asked = serving.ask(kForever);
  waits.acquire();
  std::promise<void> stopped;
  auto end = stopped.get_future();
  serving.on_loop([&] { serving.scheduler.stop([&] { stopped.set_value(); }); });
  came.release();
  CHECK_THAT(get(std::move(asked)), Catch::Contains("\nguest 1\n"));
  get(std::move(end));
}

TEST_CASE("a pass that does not end holds up the ticks, and not the loop") {
  ServingPasses serving({&kStuck}, 1ms);
  auto asked = serving.ask(kForever);
  g_entered.acquire();
  const auto last_tick = [&] { return serving.scheduler.last_tick(); };
  const auto before = serving.on_loop(last_tick);
  get(serving.ask(20ms));  // twenty beats later
  CHECK(serving.on_loop(last_tick) == before);
  g_leave.release();
  get(std::move(asked));
}

TEST_CASE("stop tells when the work under way is done") {
  ServingPasses serving({&kStuck});
  std::promise<void> stopped;
  const auto stop = [&] { serving.scheduler.stop([&] { stopped.set_value(); }); };

  SECTION("at once when there is none") { serving.on_loop(stop); }
  SECTION("after it otherwise") {
    auto asked = serving.ask(1ms);
    g_entered.acquire();
    get(std::move(asked));
    serving.on_loop(stop);
    auto told = stopped.get_future();
    CHECK(told.wait_for(0s) == std::future_status::timeout);
    g_leave.release();
    CHECK(told.wait_for(kForever) == std::future_status::ready);
    return;
  }
  get(stopped.get_future());
}
