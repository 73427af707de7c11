#include "metrics/text_encoder.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
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

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TextEncoder prometheus() { return TextEncoder(TextFormat::prometheus_0_0_4); }
TextEncoder openmetrics() { return TextEncoder(TextFormat::openmetrics_1_0_0); }

/// How the encoder spells a sample's value.
std::string spelled(double value) {
  auto encoder = prometheus();
  encoder.single({"x", "h"}, value);
  const auto text = encoder.text();
  const auto begin = text.rfind("\nx ") + 3;
  return std::string(text.substr(begin, text.size() - begin - 1));
}

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

TEST_CASE("numbers are the shortest text that reads back as the same double") {
  const auto [value, text] = GENERATE(table<double, const char*>({
      {0.0, "0"},
      {-0.0, "-0"},
      {1.0, "1"},
      {-17.0, "-17"},
      {0.1 + 0.2, "0.30000000000000004"},
      {1e-7, "1e-07"},
      {-0.5, "-0.5"},
      {4.273349, "4.273349"},
      {-123456.000001, "-123456.000001"},
      {999999999.999999, "999999999.999999"},
      {4.2733490000000005, "4.2733490000000005"},
      {1700000000.25, "1700000000.25"},
      {9007199254740991.0, "9007199254740991"},  // 2^53 - 1
      {9007199254740992.0, "9007199254740992"},
      {-9007199254740992.0, "-9007199254740992"},
      {9007199254740994.0, "9007199254740994"},
      {18446744073709551615.0, "18446744073709551616"},
      {1e22, "1e+22"},
      {std::numeric_limits<double>::max(), "1.7976931348623157e+308"},
      {std::numeric_limits<double>::denorm_min(), "5e-324"},
      {kInfinity, "+Inf"},
      {-kInfinity, "-Inf"},
      {std::nan(""), "NaN"},
      {-std::nan(""), "NaN"},
  }));
  CHECK(spelled(value) == text);
}

TEST_CASE("any number reads back as itself") {
  std::mt19937_64 random(20240607);
  for (int i = 0; i < 20'000; ++i) {
    const auto bits = random();
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    if (i % 3 == 0) value = std::trunc(std::fmod(value, 1e17));
    if (i % 3 == 1) value = std::trunc(std::fmod(value, 1e15)) / 1e6;
    const auto text = spelled(value);
    double back = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), back);
    REQUIRE(error == std::errc{});
    REQUIRE(end == text.data() + text.size());
    REQUIRE(back == value);
    REQUIRE(std::signbit(back) == std::signbit(value));
  }
}

TEST_CASE("a histogram's bounds are spelled as Prometheus spells them") {
  auto encoder = prometheus();
  constexpr std::array kBuckets = {Bucket{0.00001, 1}, Bucket{0.0001, 2}, Bucket{0.5, 3},
                                   Bucket{1, 4},       Bucket{999999, 5}, Bucket{1e6, 6},
                                   Bucket{1048576, 7}, Bucket{1e22, 8},   Bucket{kInfinity, 9}};
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
  constexpr std::array kBuckets = {Bucket{2, 1}, Bucket{kInfinity, 1}};
  constexpr std::array kLabels = {Label{"device", "a\"b"}};
  encoder.family({"x", "h", Kind::histogram});
  encoder.histogram(kLabels, {kBuckets, 2});
  CHECK_THAT(std::string(encoder.text()),
             Catch::EndsWith("x_bucket{device=\"a\\\"b\",le=\"2.0\"} 1\n"
                             "x_bucket{device=\"a\\\"b\",le=\"+Inf\"} 1\n"
                             "x_sum{device=\"a\\\"b\"} 2\n"
                             "x_count{device=\"a\\\"b\"} 1\n"));
}

TEST_CASE("a family whose name is on the page is refused with its samples") {
  constexpr std::array kBuckets = {Bucket{kInfinity, 1}};
  auto encoder = prometheus();
  encoder.single({"x", "The host's."}, 1);
  encoder.single({"y", "Another."}, 2);
  const std::string before(encoder.text());
  encoder.family({"x", "An impostor.", Kind::histogram});
  encoder.sample({{"l", "v"}}, 3);
  encoder.histogram({}, {kBuckets, 4});
  CHECK(encoder.text() == before);
  CHECK(encoder.refused() == std::vector<std::string>{"x"});

  encoder.single({"z", "What follows is not refused."}, 5);
  CHECK_THAT(std::string(encoder.text()), Catch::EndsWith("z 5\n"));
}

TEST_CASE("OpenMetrics names clash without the counter's suffix") {
  auto encoder = openmetrics();
  encoder.single({"x_total", "h", Kind::counter}, 1);
  encoder.single({"x", "h"}, 2);
  CHECK(encoder.refused() == std::vector<std::string>{"x"});
}

TEST_CASE("thousands of families are told apart") {
  auto encoder = prometheus();
  std::vector<std::string> names;
  names.reserve(5000);
  for (int i = 0; i < 5000; ++i) names.push_back("family_" + std::to_string(i));
  for (const auto& name : names) encoder.single({name, "h"}, 1);
  CHECK(encoder.refused().empty());
  for (const auto& name : names) encoder.single({name, "h"}, 2);
  CHECK(encoder.refused() == names);
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
