#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "collectors/catalog.hpp"
#include "tests/support/fixture_host.hpp"
#include "tests/support/page_fetcher.hpp"

using collectors::FetchFailure;
using tests::at_second;
using tests::page_of;
using tests::samples_of;

namespace {

using Pages = std::vector<std::string>;

/// A host with two upstreams, `one` on port 1 and `two` on port 2.
struct UpstreamHost {
  tests::FileTree tree;
  tests::FixtureHost fixture{tree.path()};
  tests::ScriptedFetcher fetcher;
  std::unique_ptr<collectors::Collector> collector;

  explicit UpstreamHost(Pages pages = {"one=http://a:1/metrics", "two=http://b:2/metrics"}) {
    fixture.settings.set("upstream", std::move(pages));
    fixture.host.page_fetcher = &fetcher;
    collector = collectors::kUpstream.make(fixture.host);
    fetcher.say(1, "");
    fetcher.say(2, "");
  }

  /// What a pass shows, without the families about the upstreams.
  std::string relayed() {
    const auto page = shown();
    const auto last = page.rfind("\nresource_exporter_upstream_");
    return page.substr(page.find('\n', last + 1) + 1);
  }
  std::string shown() {
    const auto now = at_second(++passes_);
    collector->begin(now, now + std::chrono::seconds(10));
    REQUIRE(collector->refresh(now));
    return page_of(*collector);
  }
  [[nodiscard]] std::string rejected(const std::string& upstream, const std::string& reason) const {
    const auto samples = samples_of(*collector);
    const auto series = "resource_exporter_upstream_rejected_total{upstream=\"" + upstream +
                        "\",reason=\"" + reason + "\"} ";
    const auto at = samples.find(series);
    REQUIRE(at != std::string::npos);
    const auto begin = at + series.size();
    return samples.substr(begin, samples.find('\n', begin) - begin);
  }

 private:
  int passes_ = 0;
};

}  // namespace

TEST_CASE("an upstream's families are on the page, with its name, and how it did") {
  UpstreamHost host;
  host.fetcher.say(1, "# HELP heat Degrees.\n# TYPE heat gauge\nheat{at=\"x\"} 1.5\nheat 2\n");
  host.fetcher.fail(2, FetchFailure::Why::timeout);
  const auto page = host.shown();
  for (const auto* line :
       {"\nresource_exporter_upstream_up{upstream=\"one\"} 1\n",
        "\nresource_exporter_upstream_up{upstream=\"two\"} 0\n",
        "\nresource_exporter_upstream_duration_seconds{upstream=\"one\"} 0.25\n",
        "\nresource_exporter_upstream_duration_seconds{upstream=\"two\"} 0.5\n",
        "\nresource_exporter_upstream_rejected_total{upstream=\"one\",reason=\"timeout\"} 0\n",
        "\nresource_exporter_upstream_rejected_total{upstream=\"two\",reason=\"timeout\"} 1\n",
        "\n# HELP heat Degrees.\n# TYPE heat gauge\nheat{at=\"x\",upstream=\"one\"} 1.5\n"
        "heat{upstream=\"one\"} 2\n"}) {
    CHECK_THAT(page, Catch::Contains(line));
  }
  CHECK(host.collector->complaint() == "two: as the test wants");
  host.fetcher.say(2, "");
  host.shown();
  CHECK(host.collector->complaint().empty());
  CHECK(host.rejected("two", "timeout") == "1");
}

TEST_CASE("families of the host's own are refused, whatever the format they would show in") {
  UpstreamHost host;
  const auto* text = GENERATE(
      "node_load1 9\n", "cpu_percent 9\n", "up 0\n", "scrape_duration_seconds 9\n",
      "# TYPE cpu_percent_total counter\ncpu_percent_total 9\n",
      "# TYPE node_cpu histogram\nnode_cpu_bucket{le=\"+Inf\"} 9\n", "process_open_fds 9\n",
      "resource_exporter_upstream_up 0\n", "host_cpu_busy_ratio 9\n");
  INFO(text);
  host.fetcher.say(1, std::string("fine 1\n") + text);
  CHECK_THAT(host.relayed(), Catch::EndsWith("untyped\nfine{upstream=\"one\"} 1\n"));
  CHECK(host.rejected("one", "reserved") == "1");
  CHECK_THAT(std::string(host.collector->complaint()), Catch::StartsWith("one: reserved: "));
}

TEST_CASE("a family of two upstreams is one on the page, and the label tells them apart") {
  UpstreamHost host;
  host.fetcher.say(1, "# HELP a First.\n# TYPE a counter\na{x=\"1\"} 1\nb 1\n");
  host.fetcher.say(2, "c 2\n# HELP a Second.\n# TYPE a counter\na{x=\"1\"} 2\n");
  CHECK(host.relayed() ==
        "# HELP a First.\n# TYPE a counter\na{x=\"1\",upstream=\"one\"} 1\n"
        "a{x=\"1\",upstream=\"two\"} 2\n"
        "# HELP b Of the upstream one, which has no HELP for it.\n# TYPE b untyped\n"
        "b{upstream=\"one\"} 1\n"
        "# HELP c Of the upstream two, which has no HELP for it.\n# TYPE c untyped\n"
        "c{upstream=\"two\"} 2\n");
  CHECK(host.collector->complaint().empty());
}

TEST_CASE("no upstream changes what an earlier one said") {
  UpstreamHost host;
  const auto [second, reason] = GENERATE(table<const char*, const char*>({
      {"# TYPE a gauge\na 2\n", "type"},
      {"a_count 2\n", "duplicate"},
      {"# TYPE a_total counter\na_total 2\n", "duplicate"},
  }));
  host.fetcher.say(1, "# TYPE a summary\na_count 1\n");
  host.fetcher.say(2, second);
  CHECK_THAT(host.relayed(), Catch::EndsWith("# TYPE a summary\na_count{upstream=\"one\"} 1\n"));
  CHECK(host.rejected("two", reason) == "1");
  CHECK(host.rejected("one", reason) == "0");
}

TEST_CASE("a label of that name is moved out of the way") {
  UpstreamHost host;
  host.fetcher.say(1,
                   "a{upstream=\"x\"} 1\nb{upstream=\"x\",exported_upstream=\"y\"} 1\n"
                   "c{upstream=\"x\"} 1\nc{exported_upstream=\"x\"} 2\n");
  CHECK_THAT(host.relayed(),
             Catch::EndsWith("untyped\na{exported_upstream=\"x\",upstream=\"one\"} 1\n"));
  CHECK(host.rejected("one", "label") == "2");
}

TEST_CASE("a page that cannot be trusted is left out whole, and counted by reason") {
  UpstreamHost host;
  const auto [reason, status, type, text] =
      GENERATE(table<const char*, unsigned, const char*, const char*>({
          {"status", 500, "text/plain", "a 1\n"},
          {"status", 302, "text/plain", ""},
          {"content_type", 200, "text/html", "a 1\n"},
          {"content_type", 200, "", "a 1\n"},
          {"syntax", 200, "text/plain", "a 1\n<html>\n"},
          {"truncated", 200, "text/plain", "a 1\na 2"},
          {"truncated", 200, "application/openmetrics-text", "a 1\n"},
      }));
  INFO(reason << ' ' << text);
  host.fetcher.say(1, text, status, type);
  host.fetcher.say(2, "fine 1\n");
  const auto page = host.shown();
  CHECK_THAT(page, Catch::Contains("resource_exporter_upstream_up{upstream=\"one\"} 0\n"));
  CHECK_THAT(page, Catch::EndsWith("untyped\nfine{upstream=\"two\"} 1\n"));
  CHECK(host.rejected("one", reason) == "1");
  const auto why = GENERATE(
      table<FetchFailure::Why, const char*>({{FetchFailure::Why::unreachable, "unreachable"},
                                             {FetchFailure::Why::timeout, "timeout"},
                                             {FetchFailure::Why::protocol, "protocol"},
                                             {FetchFailure::Why::too_large, "too_large"}}));
  host.fetcher.fail(1, std::get<0>(why));
  host.shown();
  CHECK(host.rejected("one", std::get<1>(why)) == "1");
}

TEST_CASE("every pass has pages that were fetched for it alone") {
  UpstreamHost host(Pages{"one=http://a:1/metrics"});
  host.fetcher.say(1, "a 1\n");
  const auto later = at_second(100) + std::chrono::seconds(10);
  host.collector->begin(at_second(100), later);  // and that pass came to nothing
  host.fetcher.say(1, "a 2\n");
  host.collector->begin(at_second(101), later);
  REQUIRE(host.collector->refresh(at_second(101)));
  CHECK_THAT(samples_of(*host.collector), Catch::EndsWith("\na{upstream=\"one\"} 2\n"));
  CHECK(host.fetcher.waited == 1);
  host.fetcher.say(1, "a 3\n");
  REQUIRE(host.collector->refresh(at_second(102)));  // which nobody has begun
  CHECK_THAT(samples_of(*host.collector), Catch::EndsWith("\na{upstream=\"one\"} 3\n"));
  CHECK(host.fetcher.begun.size() == 3);
}

TEST_CASE("upstreams have their own time, and leave some of the page's") {
  UpstreamHost host(Pages{"one=http://a:1/metrics"});
  const auto time_for = [&](collectors::Clock::duration budget) {
    const auto now = at_second(0);
    host.collector->begin(now, now + budget);
    return host.fetcher.begun.back().limits.deadline - now;
  };
  CHECK(time_for(std::chrono::seconds(10)) == std::chrono::milliseconds(500));
  CHECK(time_for(std::chrono::milliseconds(500)) == std::chrono::milliseconds(400));
  CHECK(time_for(std::chrono::seconds(-1)) == std::chrono::seconds(0));
  host.collector->begin(at_second(0), collectors::Clock::time_point::max());
  CHECK(host.fetcher.begun.back().limits.deadline - at_second(0) == std::chrono::milliseconds(500));
}

TEST_CASE("upstream is nothing without upstreams, and no start with a wrong one") {
  UpstreamHost host(Pages{});
  CHECK(host.shown().empty());
  const auto* text = GENERATE("", "http://a/", "=http://a/", "a=", "a=b", "a=https://a/",
                              "a=http://", "a=http://:80/", "a=http://a:0/", "a=http://a:65536/",
                              "a=http://a:/", "a=http://a:1x/", "a=http://u@a/", "a=http://a/ b",
                              "a=http://a/#b", "a b=http://a/", "a=http://[::1/", "a=http://[]/",
                              "a=http://[::1]1/", "\"=http://a/", "a=http://a\n/");
  INFO(text);
  CHECK_THROWS_AS(UpstreamHost(Pages{text}), std::invalid_argument);
  CHECK_THROWS_AS(UpstreamHost(Pages{"a=http://a/", "a=http://b/"}), std::invalid_argument);
}

TEST_CASE("an upstream's address may leave out what is usual") {
  const auto [text, host_name, port, target] =
      GENERATE(table<const char*, std::string, int, std::string>({
          {"a=http://b", "b", 80, "/metrics"},
          {"a=http://b/", "b", 80, "/"},
          {"a=http://b:8080", "b", 8080, "/metrics"},
          {"a-b.c_d=http://127.0.0.1:1/x/y?z=1&u=v", "127.0.0.1", 1, "/x/y?z=1&u=v"},
          {"a=http://[::1]:9/m", "::1", 9, "/m"},
          {"a=http://[::1]", "::1", 80, "/metrics"},
      }));
  INFO(text);
  UpstreamHost host(Pages{text});
  host.fetcher.say(static_cast<std::uint16_t>(port), "");
  host.shown();
  const auto& address = host.fetcher.begun.back().address;
  CHECK(address.host == host_name);
  CHECK(address.port == port);
  CHECK(address.target == target);
}
