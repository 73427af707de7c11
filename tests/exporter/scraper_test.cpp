#include "exporter/scraper.hpp"

#include <catch2/catch.hpp>

#include "tests/exporter/fake_collectors.hpp"

using exporter::Clock;
using exporter::Pass;
using exporter::Status;
using exporter::Wish;
using metrics::TextFormat;
using tests::kGood;
using tests::spec;

namespace {

const auto kFailing = spec("failing", [](const collectors::Host&) {
  return tests::fake([]() -> metrics::Result<void> {
    return metrics::Error{metrics::Errc::malformed, "stat: cannot read 'x'"};
  });
});
const auto kAbsent = spec("absent", [](const collectors::Host&) {
  return tests::fake([]() -> metrics::Result<void> {
    return metrics::Error{metrics::Errc::unsupported, "no such file"};
  });
});
const auto kThrowing = spec("throwing", [](const collectors::Host&) {
  return tests::fake([]() -> metrics::Result<void> { throw std::runtime_error("a bug"); });
});
const auto kHalf = spec("half", [](const collectors::Host&) {
  return tests::fake([] { return metrics::Result<void>(); },
                     [](metrics::Sink& sink) {
                       sink.single({"half", "Begun and not ended."}, 1);
                       throw std::bad_alloc();
                     });
});
const auto kThief = spec("thief", [](const collectors::Host&) {
  return tests::fake([] { return metrics::Result<void>(); },
                     [](metrics::Sink& sink) {
                       sink.single({"good", "Not the real one."}, 666);
                     });
});

void run(tests::ScraperHost& host, Pass& pass,
         Clock::time_point deadline = Clock::time_point::max()) {
  host.scraper.begin(pass, deadline);
  REQUIRE(host.scraper.work_on(pass, deadline, Clock::time_point::max()));
}

std::string scrape(tests::ScraperHost& host, const Wish& wish) {
  Pass pass(host.pool, host.scraper.names(), host.self);
  pass.add(wish);
  run(host, pass);
  return std::string(pass.page(wish)->text.text());
}

}  // namespace

TEST_CASE("whatever a collector does, the others are on the page and its state is told") {
  tests::ScraperHost host({&kFailing, &kAbsent, &kThrowing, &kHalf, &kGood});
  const auto page = scrape(host, {.selection = host.all()});
  CHECK_THAT(page, Catch::Contains("\ngood 1\n"));
  CHECK(page.find("Begun and not ended") == std::string::npos);
  const auto [name, success, absent] = GENERATE(table<std::string, std::string, std::string>({
      {"failing", "0", "0"},
      {"absent", "1", "1"},
      {"throwing", "0", "0"},
      {"half", "0", "0"},
      {"good", "1", "0"},
  }));
  CHECK_THAT(page, Catch::Contains("node_scrape_collector_success{collector=\"" + name + "\"} " +
                                   success + "\n"));
  CHECK_THAT(page, Catch::Contains("resource_exporter_collector_absent{collector=\"" + name +
                                   "\"} " + absent + "\n"));
}

TEST_CASE("a page shows only what was selected, and collectors nobody selected do not run") {
  tests::ScraperHost host({&kThrowing, &kGood});
  const auto page = scrape(host, {.selection = exporter::Selection(0b10)});
  CHECK_THAT(page, Catch::Contains("\ngood 1\n"));
  CHECK(page.find("throwing") == std::string::npos);
}

TEST_CASE("a later collector cannot replace a family that is already there") {
  tests::ScraperHost host({&kGood, &kThief});
  const auto page = scrape(host, {.selection = host.all()});
  CHECK_THAT(page, Catch::Contains("\ngood 1\n"));
  CHECK(page.find(" 666\n") == std::string::npos);
  CHECK_THAT(page, Catch::Contains("\nresource_exporter_refused_families_total 1\n"));
}

TEST_CASE("one pass makes a page for each format and selection") {
  tests::ScraperHost host({&kGood, &kFailing});
  Pass pass(host.pool, host.scraper.names(), host.self);
  const Wish text{.selection = host.all()};
  const Wish openmetrics{.format = TextFormat::openmetrics_1_0_0, .selection = host.all()};
  const Wish part{.selection = exporter::Selection(0b01)};
  for (const auto& wish : {text, openmetrics, part, text}) pass.add(wish);
  run(host, pass);
  CHECK(pass.page(text) == pass.page(text));
  CHECK(pass.page(openmetrics)->text.text().ends_with("# EOF\n"));
  CHECK(pass.page(part)->text.text().find("failing") == std::string_view::npos);
}

TEST_CASE("a page taken early holds what has been recorded and flags the rest as late") {
  tests::ScraperHost host({&kGood, &kFailing});
  const Wish wish{.selection = host.all()};
  Pass pass(host.pool, host.scraper.names(), host.self);
  pass.add(wish);
  const auto collector = kGood.make(host.host.host);
  pass.record(0, {.status = Status::ok, .duration = {}, .problem = {}}, *collector);

  const std::string early(pass.page(wish)->text.text());
  CHECK_THAT(early, Catch::Contains("\ngood 1\n"));
  CHECK_THAT(early, Catch::Contains("node_scrape_collector_success{collector=\"good\"} 1\n"));
  CHECK_THAT(early, Catch::Contains("node_scrape_collector_success{collector=\"failing\"} 0\n"));
  CHECK_THAT(early, Catch::Contains("resource_exporter_build_info"));

  pass.record(1, {.status = Status::ok, .duration = {}, .problem = {}}, *collector);
  pass.finish();
  CHECK_THAT(std::string(pass.page(wish)->text.text()),
             Catch::Contains("node_scrape_collector_success{collector=\"failing\"} 1\n"));
}

TEST_CASE("collectors whose turn comes after the deadline are left out") {
  tests::ScraperHost host({&kGood});
  const Wish wish{.selection = host.all()};
  Pass pass(host.pool, host.scraper.names(), host.self);
  pass.add(wish);
  run(host, pass, Clock::time_point::min());
  CHECK_THAT(std::string(pass.page(wish)->text.text()),
             Catch::Contains("node_scrape_collector_success{collector=\"good\"} 0\n"));
}

namespace {

/// Notes what is called, in order.
class Noting final : public collectors::Collector {
 public:
  Noting(std::string name, std::string& calls) : name_(std::move(name)), calls_(calls) {}
  void begin(Clock::time_point now, Clock::time_point deadline) override {
    calls_ += "begin " + name_ + (deadline > now ? "; " : " too late; ");
    throw std::runtime_error("which harms nobody");
  }
  metrics::Result<void> refresh(Clock::time_point /*now*/) override {
    calls_ += "refresh " + name_ + "; ";
    return {};
  }
  void emit(metrics::Sink& sink) const override { sink.single({"noted", "Always there."}, 1); }
  [[nodiscard]] std::string_view complaint() const override { return "one of many is <bad>"; }

 private:
  std::string name_;
  std::string& calls_;
};

std::string noted_calls;

const auto kNotingFirst = spec("first", [](const collectors::Host&) {
  return std::unique_ptr<collectors::Collector>(new Noting("first", noted_calls));
});
const auto kNotingSecond = spec("second", [](const collectors::Host&) {
  return std::unique_ptr<collectors::Collector>(new Noting("second", noted_calls));
});

}  // namespace

TEST_CASE("all collectors of a pass begin before the first one is waited for, and the others not") {
  tests::ScraperHost host({&kNotingFirst, &kGood, &kNotingSecond, &kNotingFirst});
  noted_calls.clear();
  scrape(host, {.selection = exporter::Selection(0b0111)});
  CHECK(noted_calls == "begin first; begin second; refresh first; refresh second; ");
}

TEST_CASE("what a collector complains of is told beside its success") {
  tests::ScraperHost host({&kNotingFirst});
  Pass pass(host.pool, host.scraper.names(), host.self);
  pass.add({.selection = host.all()});
  run(host, pass);
  CHECK(pass.reports()[0].status == Status::ok);
  CHECK(pass.reports()[0].problem == "one of many is <bad>");
  CHECK_THAT(std::string(pass.page({.selection = host.all()})->text.text()),
             Catch::Contains("\nnoted 1\n"));
}

namespace {

/// Waits for somebody who comes at a time that the test sets.
class Waiting final : public collectors::Collector {
 public:
  static inline Clock::time_point comes_at;

  explicit Waiting(const collectors::Host& /*host*/) {}
  bool wait(Clock::time_point until) override { return until >= comes_at; }
  metrics::Result<void> refresh(Clock::time_point /*now*/) override { return {}; }
  void emit(metrics::Sink& sink) const override { sink.single({"waited", "For somebody."}, 1); }
};
const auto kWaiting = spec("waiting", collectors::make_collector<Waiting>);

}  // namespace

TEST_CASE("who waits for somebody does so when the others are on the page") {
  tests::ScraperHost host({&kWaiting, &kGood});
  const Wish wish{.selection = host.all()};
  Pass pass(host.pool, host.scraper.names(), host.self);
  pass.add(wish);
  const auto never = Clock::time_point::max();
  const auto now = Clock::now();
  Waiting::comes_at = now + std::chrono::hours(2);
  host.scraper.begin(pass, never);
  REQUIRE_FALSE(host.scraper.work_on(pass, never, now + std::chrono::hours(1)));
  CHECK(pass.unrecorded() == exporter::Selection(0b01));
  const std::string early(pass.page(wish)->text.text());
  CHECK_THAT(early, Catch::Contains("node_scrape_collector_success{collector=\"waiting\"} 0\n"));
  CHECK_THAT(early, Catch::Contains("node_scrape_collector_success{collector=\"good\"} 1\n"));
  REQUIRE(host.scraper.work_on(pass, never, now + std::chrono::hours(2)));
  CHECK_THAT(std::string(pass.page(wish)->text.text()), Catch::Contains("\nwaited 1\n"));
}
