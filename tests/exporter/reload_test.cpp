// A configuration that is read anew: by whom, when, and what is told of it.
#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "exporter/pass_scheduler.hpp"
#include "metrics/text_encoder.hpp"
#include "tests/exporter/fake_collectors.hpp"

using Catch::Contains;
using metrics::Result;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

std::atomic<int> g_reloads = 0;
std::counting_semaphore<> g_is_ticking(0);
std::counting_semaphore<> g_may_end(0);

/// A collector with a configuration, of which reading it is a function.
template <class Read>
class Configured final : public collectors::Collector {
 public:
  explicit Configured(Read read) : read_(read) {}
  Result<void> refresh(collectors::Clock::time_point) override { return {}; }
  void emit(metrics::Sink&) const override {}
  [[nodiscard]] bool is_reloadable() const override { return true; }
  Result<void> reload() override {
    ++g_reloads;
    return read_();
  }

 private:
  Read read_;
};

template <class Read>
std::unique_ptr<collectors::Collector> configured(Read read) {
  return std::make_unique<Configured<Read>>(read);
}

const auto kWell = tests::spec(
    "well", [](const collectors::Host&) { return configured([] { return Result<void>(); }); });
const auto kBadly = tests::spec("badly", [](const collectors::Host&) {
  return configured([]() -> Result<void> {
    return metrics::Error{metrics::Errc::malformed, "groups.yml:3: a mistake"};
  });
});
const auto kOutOfMemory = tests::spec("out_of_memory", [](const collectors::Host&) {
  return configured([]() -> Result<void> { throw std::bad_alloc(); });
});

/// Ticks once, for as long as the test likes.
class Ticking final : public collectors::Collector {
 public:
  void tick(collectors::Clock::time_point) override {
    g_is_ticking.release();
    g_may_end.acquire();
  }
  Result<void> refresh(collectors::Clock::time_point) override { return {}; }
  void emit(metrics::Sink&) const override {}
};
const auto kTicking =
    tests::spec("ticking", [](const collectors::Host&) -> std::unique_ptr<collectors::Collector> {
      return std::make_unique<Ticking>();
    });

std::string page_of_self(exporter::SelfMetrics& self) {
  metrics::TextEncoder encoder(metrics::TextFormat::prometheus_0_0_4);
  self.emit(encoder);
  return std::string(encoder.text());
}

}  // namespace

TEST_CASE("all that have a configuration read it anew, whatever becomes of one") {
  g_reloads = 0;
  tests::ScraperHost host({&kOutOfMemory, &kBadly, &tests::kGood, &kWell});
  CHECK(host.scraper.is_reloadable());
  CHECK_FALSE(host.scraper.reload());
  CHECK(g_reloads == 3);
}

TEST_CASE("a reload is good when all were") {
  tests::ScraperHost host({&kWell, &tests::kGood, &kWell});
  CHECK(host.scraper.reload());
}

TEST_CASE("without a configuration there is nothing to reload") {
  tests::ScraperHost host({&tests::kGood});
  CHECK_FALSE(host.scraper.is_reloadable());
}

TEST_CASE("the page tells whether the last reload was good, and when one was") {
  exporter::SelfMetrics self;
  const std::string name = "\nresource_exporter_config_last_reload_success";
  CHECK_THAT(page_of_self(self), !Contains(name));
  self.observe_reload(true);
  const auto good = page_of_self(self);
  CHECK_THAT(good, Contains(name + "ful 1\n"));
  const auto time = good.substr(good.find(name + "_timestamp_seconds "));
  self.observe_reload(false);
  const auto bad = page_of_self(self);
  CHECK_THAT(bad, Contains(name + "ful 0\n"));
  CHECK_THAT(bad, Contains(time.substr(0, time.find('\n', 1) + 1)));
}

TEST_CASE("a reload waits for the work under way, and those that wait are served together") {
  g_reloads = 0;
  tests::ScraperHost host({&kTicking, &kWell});
  asio::io_context io;
  exporter::LeaderFollowers threads(io, 1ms);
  exporter::PassScheduler scheduler(io, threads, host.scraper, host.self, 1h);
  std::thread runner([&] { threads.run(); });
  g_is_ticking.acquire();
  std::promise<void> told;
  int done = 0;
  asio::post(io, [&] {
    for (int wish = 0; wish < 3; ++wish) {
      scheduler.reload([&] {
        if (++done == 3) told.set_value();
      });
    }
    CHECK(g_reloads == 0);
    g_may_end.release();
  });
  CHECK(told.get_future().wait_for(20s) == std::future_status::ready);
  CHECK(g_reloads == 1);
  CHECK_THAT(page_of_self(host.self), Contains("config_last_reload_successful 1\n"));
  io.stop();
  runner.join();
}
