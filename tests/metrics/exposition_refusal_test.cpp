// What is refused of the pages of others, why, and in which line.
#include <catch2/catch.hpp>
#include <string>

#include "metrics/exposition_parser.hpp"
#include "tests/support/exposition.hpp"

using metrics::parse_exposition;
using tests::refusals;

namespace {

constexpr auto kPrometheus = metrics::TextFormat::prometheus_0_0_4;
constexpr auto kOpen = metrics::TextFormat::openmetrics_1_0_0;

}  // namespace

TEST_CASE("a page of 0.0.4 that is none is refused whole, with the line") {
  using namespace std::string_literals;
  const auto long_line = "a{b=\"" + std::string(20'000, 'x') + "\"} 1\n";
  const auto [text, expected] = GENERATE_COPY(table<std::string, std::string>({
      {"a 1", "truncated 1"},
      {"a 1\nb 2.3", "truncated 2"},
      {"a\n", "syntax 1"},
      {"a \n", "syntax 1"},
      {"a1\n", "syntax 1"},
      {"1a 1\n", "syntax 1"},
      {"a-b 1\n", "syntax 1"},
      {"\xC3\xA4 1\n", "syntax 1"},
      {"a x\n", "syntax 1"},
      {"a 1x\n", "syntax 1"},
      {"a 0x1p3\n", "syntax 1"},
      {"a 1_0\n", "syntax 1"},
      {"a 1e999\n", "syntax 1"},
      {"a 1e9223372036854775807\n", "syntax 1"},
      {"a 1e9223372036854775808\n", "syntax 1"},
      {"a +-1\n", "syntax 1"},
      {"a nan(1)\n", "syntax 1"},
      {"a infinit\n", "syntax 1"},
      {"a + 1\n", "syntax 1"},
      {"a 1\r\n", "syntax 1"},
      {"a 1 1 1\n", "syntax 1"},
      {"a 1 x\n", "syntax 1"},
      {"a 1 1.5\n", "syntax 1"},
      {"a 1 -\n", "syntax 1"},
      {"a 1 # {} 1\n", "syntax 1"},
      {"a{ 1\n", "syntax 1"},
      {"a{b} 1\n", "syntax 1"},
      {"a{b=c} 1\n", "syntax 1"},
      {"a{b=\"c} 1\n", "syntax 1"},
      {"a{b=\"c\\\"} 1\n", "syntax 1"},
      {"a{b=\"c\\", "truncated 1"},
      {"a{b=\"c\\x\"} 1\n", "syntax 1"},
      {"a{b=\"c\" d=\"e\"} 1\n", "syntax 1"},
      {"a{,} 1\n", "syntax 1"},
      {"a{b=\"c\",,} 1\n", "syntax 1"},
      {"a{1b=\"c\"} 1\n", "syntax 1"},
      {"a{b:c=\"d\"} 1\n", "syntax 1"},
      {"{\"a.b\"} 1\n", "syntax 1"},
      {"{a=\"b\"} 1\n", "syntax 1"},
      {"# HELP a \\x\n", "syntax 1"},
      {"# HELP a \\\n", "syntax 1"},
      {"# HELP 1 x\n", "syntax 1"},
      {"# TYPE a gauge x\n", "syntax 1"},
      {"ok 1\n<html>\n", "syntax 2"},
      {"\xEF\xBB\xBF"
       "a 1\n",
       "syntax 1"},
      {"a\0b 1\n"s, "syntax 1"},
      {std::string(100, '\0') + "\n", "syntax 1"},
      {"ok 1\n" + long_line, "limit 2"},
  }));
  INFO(text.substr(0, 100));
  const auto page = parse_exposition(text, kPrometheus);
  CHECK(page.is_refused);
  CHECK(page.families.empty());
  CHECK(refusals(page) == expected);
}

TEST_CASE("a page of OpenMetrics that is none is refused whole, with the line") {
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"", "truncated 0"},
      {"a 1\n", "truncated 1"},
      {"a 1\n# EO", "truncated 2"},
      {"# EOF\na 1\n", "syntax 2"},
      {"# EOF\n\n", "syntax 2"},
      {"\n# EOF\n", "syntax 1"},
      {" a 1\n# EOF\n", "syntax 1"},
      {"a  1\n# EOF\n", "syntax 1"},
      {"a\t1\n# EOF\n", "syntax 1"},
      {"a 1 \n# EOF\n", "syntax 1"},
      {"a{b=\"c\"}1\n# EOF\n", "syntax 1"},
      {"a{b=\"c\",} 1\n# EOF\n", "syntax 1"},
      {"a{b=\"c\", d=\"e\"} 1\n# EOF\n", "syntax 1"},
      {"# comment\n# EOF\n", "syntax 1"},
      {"#TYPE a gauge\n# EOF\n", "syntax 1"},
      {"# HELP\n# EOF\n", "syntax 1"},
      {"a 1 # 1\n# EOF\n", "syntax 1"},
      {"a 1 # {\n# EOF\n", "syntax 1"},
      {"a 1 # {} x\n# EOF\n", "syntax 1"},
      {"a 1 # {} 1 1 1\n# EOF\n", "syntax 1"},
      {"a 1 # {} 1e9223372036854775807\n# EOF\n", "syntax 1"},
  }));
  INFO(text);
  const auto page = parse_exposition(text, kOpen);
  CHECK(page.is_refused);
  CHECK(page.families.empty());
  CHECK(refusals(page) == expected);
  CHECK(refusals(parse_exposition("a 1\n# EOF", kOpen)).empty());
}

TEST_CASE("a family that cannot be passed on costs only itself") {
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"# TYPE a gauge_histogram\na 1\na_bucket 2\n", "type 1 a"},
      {"# TYPE a\na 1\n", "type 1 a"},
      {"# TYPE a Gauge\na 1\n", "type 1 a"},
      {"# TYPE a unknown\na 1\n", "type 1 a"},
      {"a 1\n# TYPE a gauge\n", "type 2 a"},
      {"# TYPE a histogram\na 1\n", "type 2 a"},
      {"# TYPE a gauge\n# TYPE a gauge\na 1\n", "duplicate 2 a"},
      {"# HELP a b\n# HELP a b\na 1\n", "duplicate 2 a"},
      {"a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 2\n", "duplicate 2 a"},
      {"a 1\na{x=\"\"} 2\n", "duplicate 2 a"},
      {"# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"1.0\"} 1\n", "duplicate 3 a"},
      {"# TYPE a histogram\na_bucket 1\n", "label 2 a"},
      {"# TYPE a histogram\na_bucket{le=\"x\"} 1\n", "label 2 a"},
      {"# TYPE a histogram\na_bucket{le=\"NaN\"} 1\n", "label 2 a"},
      {"# TYPE a histogram\na_bucket{le=\"1e9223372036854775807\"} 1\n", "label 2 a"},
      {"# TYPE a histogram\na_sum{le=\"1\"} 1\n", "label 2 a"},
      {"# TYPE a histogram\na_bucket{le=\"1\",quantile=\"1\"} 1\n", "label 2 a"},
      {"# TYPE a summary\na 1\n", "label 2 a"},
      {"# TYPE a summary\na{quantile=\"\"} 1\n", "label 2 a"},
      {"a{x=\"1\",x=\"2\"} 1\n", "label 1 a"},
      {"a{__name__=\"node_load1\"} 1\n", "label 1 a"},
      {"a{x=\"\xFF\"} 1\n", "encoding 1 a"},
      {"a{x=\"\x1B[31m\"} 1\n", "encoding 1 a"},
      {"a{x=\"\xC2\x80\"} 1\n", "encoding 1 a"},
      {"# TYPE a counter\na -1\n", "value 2 a"},
      {"# TYPE a counter\na NaN\n", "value 2 a"},
      {"# TYPE a histogram\na_bucket{le=\"1\"} -1\n", "value 2 a"},
      {"# TYPE a histogram\na_bucket{le=\"1\"} 1\n", "value 2 a"},
      {"# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\n", "value 3 a"},
      {"# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_bucket{le=\"1\"} 2\n", "value 2 a"},
      {"# TYPE a histogram\na_bucket{le=\"+Inf\"} 2\na_sum 1\na_count 3\n", "value 4 a"},
      {"# TYPE a histogram\na_sum 1\na_count 3\n", "value 2 a"},
      {"# TYPE a histogram\na_bucket{x=\"1\",le=\"1\"} 1\na_bucket{x=\"2\",le=\"+Inf\"} 1\n",
       "value 3 a"},
      {"# TYPE a summary\na_count NaN\n", "value 2 a"},
      {"a 1 1700000000000\n", "timestamp 1 a"},
      {"a 1 -1\n", "timestamp 1 a"},
      {"a 1\nok2 2\na{x=\"y\"} 2 5\n", "timestamp 3 a"},
  }));
  INFO(text);
  const auto whole = "ok 1\n" + text + "fine 2\n";
  const auto page = parse_exposition(whole, kPrometheus);
  CHECK_FALSE(page.is_refused);
  auto wanted = expected;  // one line further down
  const auto digit = wanted.find_first_of("1234");
  wanted[digit] = static_cast<char>(wanted[digit] + 1);
  CHECK(refusals(page) == wanted);
  for (const auto& family : page.families) CHECK(family.family.name != "a");
  CHECK(page.families.front().family.name == "ok");
  CHECK(page.families.back().family.name == "fine");
}

TEST_CASE("a family of OpenMetrics that cannot be passed on costs only itself") {
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"# TYPE a gaugehistogram\na_bucket{le=\"+Inf\"} 1\na_gcount 1\na_gsum 1\n", "type 1 a"},
      {"# TYPE a untyped\na 1\n", "type 1 a"},
      {"# TYPE a counter\na 1\n", "type 2 a"},
      {"a 1\n# HELP a b\n", "type 2 a"},
      {"a 1\n# UNIT a b\n", "type 2 a"},
      {"a 1\nb 2\na{x=\"1\"} 1\n", "duplicate 3 a"},
      {"# TYPE a gauge\n# TYPE b gauge\n# HELP a x\n", "duplicate 3 a"},
      {"# TYPE a stateset\na{a=\"x\"} 2\n", "value 2 a"},
      {"a 1 1.5\n", "timestamp 1 a"},
      {"# TYPE a counter\na_total 1 1.5 # {} 1\n", "timestamp 2 a"},
  }));
  INFO(text);
  const auto whole = text + "fine 2\n# EOF\n";
  const auto page = parse_exposition(whole, kOpen);
  CHECK(refusals(page) == expected);
  for (const auto& family : page.families) CHECK(family.family.name != "a");
  CHECK(page.families.back().family.name == "fine");
}

TEST_CASE("of two families that have a name in common on a page the second is left out") {
  struct Page {
    metrics::TextFormat format;
    std::string first, second, expected;
  };
  const Page pages[] = {
      {kOpen, "# TYPE a info\na_info{x=\"1\"} 1\n", "# TYPE a_info gauge\na_info{x=\"1\"} 0\n",
       "duplicate 4 a_info"},
      {kOpen, "# TYPE a_info gauge\na_info 0\n", "# TYPE a info\na_info{x=\"1\"} 1\n",
       "duplicate 4 a"},
      {kOpen, "# TYPE a counter\na_total 1\n", "# TYPE a_total gauge\na_total 1\n",
       "duplicate 4 a_total"},
      {kOpen, "# TYPE a counter\na_total 1\n",
       "# TYPE a_total histogram\na_total_bucket{le=\"+Inf\"} 1\n", "duplicate 4 a_total"},
      {kOpen, "# TYPE a summary\na_sum 1\n", "# TYPE a_sum gauge\na_sum 1\n", "duplicate 4 a_sum"},
      {kPrometheus, "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\n",
       "# TYPE a_bucket gauge\na_bucket{le=\"+Inf\"} 1\n", "duplicate 4 a_bucket"},
      {kPrometheus, "# TYPE a summary\na_count 1\n", "# TYPE a_count counter\na_count 1\n",
       "duplicate 4 a_count"},
      {kPrometheus, "# TYPE a_total counter\na_total 1\n", "# TYPE a gauge\na 1\n",
       "duplicate 4 a"},
      // What is refused, or not passed on, takes no name.
      {kOpen, "# TYPE a info\na_info{x=\"\xFF\"} 1\n", "# TYPE a_info gauge\na_info 0\n",
       "encoding 2 a"},
      {kOpen, "# TYPE a counter\na_total 1\na_created 1\n", "# TYPE a_created gauge\na_created 1\n",
       ""},
      {kOpen, "# TYPE a info\na_info 1\n", "# TYPE a_information gauge\na_information 1\n", ""},
  };
  for (const auto& [format, first, second, expected] : pages) {
    const auto text = first + second + (format == kOpen ? "# EOF\n" : "");
    INFO(text);
    const auto page = parse_exposition(text, format);
    CHECK_FALSE(page.is_refused);
    CHECK(refusals(page) == expected);
    CHECK(page.families.size() == (expected.empty() ? 2 : 1));
  }
}
