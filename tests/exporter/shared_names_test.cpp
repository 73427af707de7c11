// A name that a text file and an upstream share: two collectors, which know nothing of each other.
#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "collectors/catalog.hpp"
#include "exporter/scraper.hpp"
#include "tests/support/fixture_host.hpp"
#include "tests/support/page_fetcher.hpp"

using exporter::Pass;
using exporter::Wish;
using metrics::TextFormat;

namespace {

/// What a page has of a text file and of an upstream, and how many families it says are left out.
struct SharedPage {
  tests::FileTree tree;
  tests::FixtureHost fixture{tree.path()};
  tests::ScriptedFetcher fetcher;
  std::string text;
  std::vector<std::string> refused;

  SharedPage(const char* file, const char* upstream, TextFormat format) {
    tree.write("files/a.prom", file);
    fetcher.say(1, upstream);
    fixture.settings.set("textfile.directory", {(tree.path() / "files").string()});
    fixture.settings.set("upstream", {"one=http://a:1/metrics"});
    fixture.host.page_fetcher = &fetcher;
    const std::array specs = {&collectors::kTextfile, &collectors::kUpstream};
    exporter::Scraper scraper(specs, fixture.host);
    exporter::PagePool pool;
    exporter::SelfMetrics self;
    Pass pass(pool, scraper.names(), self);
    const Wish wish{.format = format, .selection = exporter::Selection(0b11)};
    pass.add(wish);
    const auto end = exporter::Clock::time_point::max();
    scraper.begin(pass, end);
    REQUIRE(scraper.work_on(pass, end, end));
    text = pass.page(wish)->text.text();
    refused = pass.refused();
  }
  [[nodiscard]] bool has(std::string_view part) const {
    return text.find(part) != std::string::npos;
  }
};

constexpr const char* kHistogram =
    "# TYPE x histogram\nx_bucket{le=\"+Inf\"} 666\nx_sum 666\nx_count 666\n";

}  // namespace

TEST_CASE("a name of a text file is no upstream's, too, and the page says that one is left out") {
  const auto format = GENERATE(TextFormat::prometheus_0_0_4, TextFormat::openmetrics_1_0_0);
  const auto [what, file, upstream,
              name] = GENERATE(table<const char*, const char*, const char*, std::string>({
      {"a family", "x 42\n", "x 666\n", "x"},
      {"of another type", "x 42\n", kHistogram, "x"},
      {"a count", "# TYPE x_count gauge\nx_count 42\n", kHistogram, "x"},
      {"a very series", "x_count{upstream=\"one\"} 42\n", kHistogram, "x"},
      {"a part, the other way round",
       "# TYPE x summary\nx{quantile=\"0.5\"} 42\nx_sum 42\nx_count 42\n", "x_sum 666\n", "x_sum"},
      {"a counter", "x_total 42\n", "# TYPE x_total counter\nx_total 666\n", "x_total"},
      {"a counter without its suffix", "x 42\n", "# TYPE x_total counter\nx_total 666\n",
       "x_total"},
  }));
  INFO(what);
  const SharedPage page(file, upstream, format);
  INFO(page.text);
  CHECK(page.has(" 42\n"));
  CHECK_FALSE(page.has(" 666\n"));
  CHECK(page.refused == std::vector{name});
  CHECK(page.has("\nresource_exporter_refused_families_total 1\n"));
  // Neither is at fault, and each can be asked for alone.
  CHECK(page.has("reason=\"duplicate\"} 0\n"));
  CHECK(page.has("node_textfile_scrape_error 0\n"));
}

TEST_CASE("names that only begin alike are no one else's") {
  const auto format = GENERATE(TextFormat::prometheus_0_0_4, TextFormat::openmetrics_1_0_0);
  const SharedPage page("x_counts 1\nx_bucket_sum 2\ny_total 3\n", kHistogram, format);
  INFO(page.text);
  CHECK(page.has("\nx_count{upstream=\"one\"} 666\n"));
  CHECK(page.has("\ny_total 3\n"));
  CHECK(page.has("\nresource_exporter_refused_families_total 0\n"));
}
