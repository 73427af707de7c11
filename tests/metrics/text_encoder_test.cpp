#include "metrics/text_encoder.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

using metrics::Bucket;
using metrics::Family;
using metrics::Kind;
using metrics::Label;
using metrics::TextEncoder;
using metrics::TextFormat;

namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

TextEncoder prometheus() { return TextEncoder(TextFormat::prometheus_0_0_4); }
TextEncoder openmetrics() { return TextEncoder(TextFormat::openmetrics_1_0_0); }

}  // namespace

TEST_CASE("a family is HELP, TYPE and its samples") {
  auto encoder = prometheus();
  encoder.family({"node_x_total", "What x did.", Kind::counter});
  encoder.sample({{"cpu", "0"}, {"mode", "idle"}}, 1.5);
  encoder.sample({{"cpu", "1"}, {"mode", "idle"}}, 2);
  encoder.single({"node_y", "How y is."}, 3);
  encoder.finish();
  CHECK(encoder.text() ==
        "# HELP node_x_total What x did.\n"
        "# TYPE node_x_total counter\n"
        "node_x_total{cpu=\"0\",mode=\"idle\"} 1.5\n"
        "node_x_total{cpu=\"1\",mode=\"idle\"} 2\n"
        "# HELP node_y How y is.\n"
        "# TYPE node_y gauge\n"
        "node_y 3\n");
}

TEST_CASE("OpenMetrics wants TYPE first, counters without their suffix and an end") {
  auto encoder = openmetrics();
  encoder.single({"node_x_total", "What x did.", Kind::counter}, 1);
  encoder.single({"node_old_counter", "A name without _total.", Kind::counter}, 2);
  encoder.single({"node_y", "How y is.", Kind::unknown}, 3);
  encoder.finish();
  CHECK(encoder.text() ==
        "# TYPE node_x counter\n"
        "# HELP node_x What x did.\n"
        "node_x_total 1\n"
        "# TYPE node_old_counter unknown\n"
        "# HELP node_old_counter A name without _total.\n"
        "node_old_counter 2\n"
        "# TYPE node_y unknown\n"
        "# HELP node_y How y is.\n"
        "node_y 3\n"
        "# EOF\n");
}

TEST_CASE("each format has its word for each kind") {
  const auto [kind, old_word, new_word] = GENERATE(table<Kind, const char*, const char*>({
      {Kind::gauge, "gauge", "gauge"},
      {Kind::counter, "counter", "counter"},
      {Kind::histogram, "histogram", "histogram"},
      {Kind::summary, "summary", "summary"},
      {Kind::unknown, "untyped", "unknown"},
  }));
  auto old_page = prometheus();
  auto new_page = openmetrics();
  const Family family{kind == Kind::counter ? "x_total" : "x", "h", kind};
  old_page.family(family);
  new_page.family(family);
  CHECK_THAT(std::string(old_page.text()), Catch::EndsWith(" " + std::string(old_word) + "\n"));
  CHECK_THAT(std::string(new_page.text()),
             Catch::StartsWith("# TYPE x " + std::string(new_word) + "\n"));
}

TEST_CASE("HELP is escaped as each format asks") {
  const Family family{"x", "a\\b\nc \"d\" \xFF"};
  auto old_page = prometheus();
  old_page.family(family);
  CHECK_THAT(std::string(old_page.text()),
             Catch::StartsWith("# HELP x a\\\\b\\nc \"d\" \xEF\xBF\xBD\n"));
  auto new_page = openmetrics();
  new_page.family(family);
  CHECK_THAT(std::string(new_page.text()),
             Catch::EndsWith("# HELP x a\\\\b\\nc \\\"d\\\" \xEF\xBF\xBD\n"));
}

TEST_CASE("names of families and labels are whole whatever their length") {
  const std::string letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (std::size_t size = 1; size <= letters.size(); ++size) {
    const auto name = letters.substr(0, size);
    auto encoder = prometheus();
    encoder.family({name, "h"});
    encoder.sample({{name, "v"}, {name, ""}}, 1);
    REQUIRE(encoder.text() == "# HELP " + name + " h\n# TYPE " + name + " gauge\n" + name + "{" +
                                  name + "=\"v\"," + name + "=\"\"} 1\n");
  }
}

TEST_CASE("a histogram's bounds are spelled as Prometheus spells them") {
  auto encoder = prometheus();
  constexpr std::array kBuckets = {Bucket{0.00001, 1}, Bucket{0.0001, 2}, Bucket{0.5, 3},
                                   Bucket{1, 4},       Bucket{999999, 5}, Bucket{1e6, 6},
                                   Bucket{1048576, 7}, Bucket{1e22, 8},   Bucket{kInfinite, 9}};
  encoder.family({"x", "h", Kind::histogram});
  encoder.histogram({}, {kBuckets, 7.25});
  CHECK(encoder.text() ==
        "# HELP x h\n"
        "# TYPE x histogram\n"
        "x_bucket{le=\"1e-05\"} 1\n"
        "x_bucket{le=\"0.0001\"} 2\n"
        "x_bucket{le=\"0.5\"} 3\n"
        "x_bucket{le=\"1.0\"} 4\n"
        "x_bucket{le=\"999999.0\"} 5\n"
        "x_bucket{le=\"1e+06\"} 6\n"
        "x_bucket{le=\"1.048576e+06\"} 7\n"
        "x_bucket{le=\"1e+22\"} 8\n"
        "x_bucket{le=\"+Inf\"} 9\n"
        "x_sum 7.25\n"
        "x_count 9\n");
}

TEST_CASE("a histogram's labels stand before le and on every line") {
  auto encoder = openmetrics();
  constexpr std::array kBuckets = {Bucket{2, 1}, Bucket{kInfinite, 1}};
  constexpr std::array kLabels = {Label{"device", "a\"b"}};
  encoder.family({"x", "h", Kind::histogram});
  encoder.histogram(kLabels, {kBuckets, 2});
  CHECK_THAT(std::string(encoder.text()),
             Catch::EndsWith("x_bucket{device=\"a\\\"b\",le=\"2.0\"} 1\n"
                             "x_bucket{device=\"a\\\"b\",le=\"+Inf\"} 1\n"
                             "x_sum{device=\"a\\\"b\"} 2\n"
                             "x_count{device=\"a\\\"b\"} 1\n"));
}

TEST_CASE("a histogram of hundreds of buckets and a long label is the lines of its buckets") {
  const std::string bad(100, '\xFF');
  std::string shown;
  for (std::size_t i = 0; i < bad.size(); ++i) shown += "\xEF\xBF\xBD";
  std::vector<Bucket> buckets;
  std::string expected = "# HELP x h\n# TYPE x histogram\n";
  for (int i = 0; i < 500; ++i) {
    const auto count = static_cast<std::uint64_t>(i) << 40U;
    buckets.push_back({static_cast<double>(i), count});
    expected += "x_bucket{l=\"" + shown + "\",le=\"" + std::to_string(i) + ".0\"} " +
                std::to_string(count) + "\n";
  }
  const auto total = std::to_string(buckets.back().cumulative_count);
  expected += "x_sum{l=\"" + shown + "\"} 0.5\nx_count{l=\"" + shown + "\"} " + total + "\n";
  const std::array labels = {Label{"l", bad}};
  auto encoder = prometheus();
  encoder.family({"x", "h", Kind::histogram});
  encoder.histogram(labels, {buckets, 0.5});
  CHECK(encoder.text() == expected);
}

TEST_CASE("a copy can be finished while the original goes on") {
  auto original = openmetrics();
  original.single({"x", "h"}, 1);
  auto copy = original;
  copy.finish();
  original.single({"y", "h"}, 2);
  original.single({"x", "h"}, 3);
  CHECK_THAT(std::string(copy.text()), Catch::EndsWith("x 1\n# EOF\n"));
  CHECK(copy.refused().empty());
  CHECK_THAT(std::string(original.text()), Catch::EndsWith("y 2\n"));
  CHECK(original.refused().size() == 1);
}

TEST_CASE("a copy keeps refusing the family that its original was refusing") {
  auto original = prometheus();
  original.single({"x", "h"}, 1);
  original.family({"x", "h"});
  auto copy = original;
  copy.sample({}, 2);
  CHECK(copy.text() == original.text());
}

TEST_CASE("truncate takes samples back, not the names that were used") {
  auto encoder = prometheus();
  encoder.single({"x", "h"}, 1);
  const std::string before(encoder.text());
  encoder.single({"y", "h"}, 2);
  encoder.truncate(before.size());
  CHECK(encoder.text() == before);
  encoder.single({"y", "h"}, 3);
  CHECK(encoder.refused() == std::vector<std::string>{"y"});
  encoder.single({"z", "h"}, 4);
  CHECK(encoder.text() == before + "# HELP z h\n# TYPE z gauge\nz 4\n");
}

TEST_CASE("restart forgets the page and its names") {
  auto encoder = prometheus();
  encoder.single({"x", "h"}, 1);
  encoder.single({"x", "h"}, 2);
  encoder.restart(TextFormat::openmetrics_1_0_0);
  CHECK(encoder.text().empty());
  CHECK(encoder.refused().empty());
  CHECK(encoder.format() == TextFormat::openmetrics_1_0_0);
  encoder.single({"x", "h"}, 3);
  encoder.finish();
  CHECK(encoder.text() == "# TYPE x gauge\n# HELP x h\nx 3\n# EOF\n");
}

TEST_CASE("a family is announced as it is now, whatever it was on the page before") {
  TextEncoder encoder(TextFormat::prometheus_0_0_4);
  metrics::Sink& sink = encoder;
  sink.single({"c_total", "First.", Kind::counter}, 1);
  const auto next = [&](TextFormat format, const Family& family) {
    encoder.restart(format);
    sink.single(family, 1);
    return std::string(encoder.text());
  };
  const auto text = TextFormat::prometheus_0_0_4;
  CHECK(next(text, {"c_total", "First.", Kind::counter}) ==
        "# HELP c_total First.\n# TYPE c_total counter\nc_total 1\n");
  CHECK(next(text, {"c_total", "Second.", Kind::counter}) ==
        "# HELP c_total Second.\n# TYPE c_total counter\nc_total 1\n");
  CHECK(next(text, {"c_total", "Second.", Kind::gauge}) ==
        "# HELP c_total Second.\n# TYPE c_total gauge\nc_total 1\n");
  CHECK(next(TextFormat::openmetrics_1_0_0, {"c_total", "Second.", Kind::gauge}) ==
        "# TYPE c_total gauge\n# HELP c_total Second.\nc_total 1\n");
  const auto openmetrics = TextFormat::openmetrics_1_0_0;
  CHECK(next(openmetrics, {"a", "Help.", Kind::counter}) ==
        "# TYPE a unknown\n# HELP a Help.\na 1\n");
  CHECK(next(openmetrics, {"a_total", "Help.", Kind::counter}) ==
        "# TYPE a counter\n# HELP a Help.\na_total 1\n");
}

TEST_CASE("a page is the same whatever order its families had before") {
  TextEncoder kept(TextFormat::prometheus_0_0_4);
  for (const std::string_view order :
       {"abc", "abc", "cba", "acb", "b", "", "abc", "aab", "abab", "xabcx", "bca", "bca"}) {
    auto fresh = prometheus();
    kept.restart(TextFormat::prometheus_0_0_4);
    for (const char& name : order) {
      for (auto* sink : {&fresh, &kept}) sink->single({{&name, 1}, "Help."}, 1);
    }
    INFO(order);
    CHECK(kept.text() == fresh.text());
    CHECK(kept.refused() == fresh.refused());
  }
}
