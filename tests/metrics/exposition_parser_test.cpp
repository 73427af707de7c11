// Pages of others, as they are and as they should not be.
#include "metrics/exposition_parser.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "metrics/text_encoder.hpp"
#include "tests/support/damage.hpp"
#include "tests/support/exposition.hpp"

using metrics::ExpositionLimits;
using metrics::parse_exposition;
using metrics::TextFormat;
using tests::refusals;
using tests::written;

namespace {

constexpr auto kText = TextFormat::prometheus_0_0_4;
constexpr auto kOpenMetrics = TextFormat::openmetrics_1_0_0;

const std::string kWhole =
    "# HELP http_requests_total Requests, by \\\\path\\n and code.\n"
    "# TYPE http_requests_total counter\n"
    "http_requests_total{path=\"/\",code=\"200\"} 1027\n"
    "http_requests_total{path=\"C:\\\\a \\\"b\\\"\\n\xC3\xA4\",code=\"\"} 3\n"
    "# HELP heat Degrees.\n"
    "# TYPE heat gauge\n"
    "heat NaN\n"
    "heat{at=\"x\"} -1.5e-09\n"
    "heat{at=\"y\"} +Inf\n"
    "# HELP took Seconds.\n"
    "# TYPE took histogram\n"
    "took_bucket{le=\"0.5\"} 1\n"
    "took_bucket{le=\"1.0\"} 2\n"
    "took_bucket{le=\"+Inf\"} 3\n"
    "took_sum 4.5\n"
    "took_count 3\n"
    "# HELP size Bytes.\n"
    "# TYPE size summary\n"
    "size{quantile=\"0.5\"} 10\n"
    "size_sum 20\n"
    "size_count 2\n"
    "# HELP what Ever.\n"
    "# TYPE what untyped\n"
    "what 1\n";

const std::string kWholeOpenMetrics =
    "# TYPE jobs counter\n"
    "# HELP jobs Done \\\"well\\\".\n"
    "jobs_total{a=\"b\"} 5 # {trace=\"1\"} 0.3 1520879607.789\n"
    "jobs_created{a=\"b\"} 1520872607.123\n"
    "# TYPE size_bytes gauge\n"
    "# UNIT size_bytes bytes\n"
    "size_bytes 3\n"
    "# TYPE build info\n"
    "build_info{version=\"1\"} 1\n"
    "# TYPE mode stateset\n"
    "mode{mode=\"on\"} 1\n"
    "mode{mode=\"off\"} 0\n"
    "# TYPE took histogram\n"
    "took_bucket{le=\"1\"} 2 # {} 0.5\n"
    "took_bucket{le=\"+Inf\"} 3\n"
    "took_count 3\n"
    "took_sum 4.5\n"
    "took_created 1.5e9\n"
    "# TYPE what unknown\n"
    "what 1\n"
    "# EOF\n";

}  // namespace

TEST_CASE("a page that our encoder would write comes back as it was") {
  const auto page = parse_exposition(kWhole, kText);
  CHECK(refusals(page).empty());
  CHECK(written(page) == kWhole);

  const auto again = written(parse_exposition(kWhole, kText), kOpenMetrics);
  const auto openmetrics = parse_exposition(again, kOpenMetrics);
  CHECK(refusals(openmetrics).empty());
  CHECK(written(openmetrics) == kWhole);
}

TEST_CASE("what OpenMetrics alone has becomes what both formats have") {
  const auto page = parse_exposition(kWholeOpenMetrics, kOpenMetrics);
  CHECK(refusals(page).empty());
  CHECK(written(page) ==
        "# HELP jobs_total Done \"well\".\n# TYPE jobs_total counter\njobs_total{a=\"b\"} 5\n"
        "# HELP size_bytes \n# TYPE size_bytes gauge\nsize_bytes 3\n"
        "# HELP build_info \n# TYPE build_info gauge\nbuild_info{version=\"1\"} 1\n"
        "# HELP mode \n# TYPE mode gauge\nmode{mode=\"on\"} 1\nmode{mode=\"off\"} 0\n"
        "# HELP took \n# TYPE took histogram\ntook_bucket{le=\"1.0\"} 2\n"
        "took_bucket{le=\"+Inf\"} 3\ntook_sum 4.5\ntook_count 3\n"
        "# HELP what \n# TYPE what untyped\nwhat 1\n");
}

TEST_CASE("what people write by hand is read as Prometheus reads it") {
  const auto [what, text, samples] = GENERATE(table<const char*, std::string, std::string>({
      {"nothing", "", ""},
      {"empty lines and comments", "\n  \n# a comment\n#\n# HELP\n# TYPE\n#x\na 1\n", "a 1\n"},
      {"no metadata", "a 1\n", "a 1\n"},
      {"metadata without samples", "# HELP a b\n# TYPE a gauge\n", ""},
      {"blanks", " \t a \t { b = \"c\" , } \t 1 \t \n", "a{b=\"c\"} 1\n"},
      {"no blank behind the brace", "a{}1\n", "a 1\n"},
      {"lines of a family apart", "a{x=\"1\"} 1\nb 2\na{x=\"2\"} 3\n",
       "a{x=\"1\"} 1\na{x=\"2\"} 3\nb 2\n"},
      {"HELP behind the samples", "a 1\n# HELP a b\n", "a 1\n"},
      {"a colon", "a:b 1\n:c 2\n", "a:b 1\n:c 2\n"},
      {"spellings of numbers",
       "a 1e3\nb .5\nc +5.\nd -0\ne nan\nf inf\ng -INF\nh +Infinity\ni 1e-999\nj Nan\n",
       "a 1000\nb 0.5\nc 5\nd -0\ne NaN\nf +Inf\ng -Inf\nh +Inf\ni 0\nj NaN\n"},
      {"numbers that no double holds",
       "a 1e-400\nb 0." + std::string(400, '0') + "1\nc 1" + std::string(400, '0') +
           "e-900\nd 1e-99999999999999999999\ne 0.001e-9223372036854775808\n",
       "a 0\nb 0\nc 0\nd 0\ne 0\n"},
      {"parts of histograms in any order",
       "# TYPE a histogram\na_count{x=\"1\"} 2\na_bucket{x=\"2\",le=\"+Inf\"} 3\n"
       "a_bucket{x=\"1\",le=\"+Inf\"} 2\na_bucket{le=\"1\",x=\"1\"} 1\na_count{x=\"2\"} 3\n",
       "a_bucket{le=\"1.0\",x=\"1\"} 1\na_bucket{x=\"1\",le=\"+Inf\"} 2\na_count{x=\"1\"} 2\n"
       "a_bucket{x=\"2\",le=\"+Inf\"} 3\na_count{x=\"2\"} 3\n"},
      {"a bound in another spelling",
       "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"1e6\"} 1\na_bucket{le=\"inf\"} 1\n",
       "a_bucket{le=\"1.0\"} 1\na_bucket{le=\"1e+06\"} 1\na_bucket{le=\"+Inf\"} 1\n"},
      {"a bound that no double holds",
       "# TYPE a summary\na{quantile=\"0.001e-9223372036854775808\"} 1\n",
       "a{quantile=\"0.0\"} 1\n"},
      {"parts without a histogram", "a_sum 1\na_count 2\na_bucket 3\n",
       "a_sum 1\na_count 2\na_bucket 3\n"},
      {"a counter without a suffix", "# TYPE a counter\na 1\n", "a 1\n"},
  }));
  INFO(what);
  const auto page = parse_exposition(text, kText);
  CHECK(refusals(page).empty());
  std::string found;
  for (const auto& family : page.families) {
    metrics::TextEncoder encoder(kText);
    for (const auto& sample : family.samples) {
      encoder.part(std::string(family.family.name).append(sample.suffix), family.labels_of(sample),
                   sample.value);
    }
    found += encoder.text();
  }
  CHECK(found == samples);
}

TEST_CASE("a page may be as large as the limits, and not larger") {
  const std::string text = "# TYPE a gauge\na{x=\"1\",y=\"2\"} 1\nb 2\nb{x=\"1\"} 3\n";
  ExpositionLimits limits = {.page_bytes = text.size(),
                             .line_bytes = 16,
                             .families = 2,
                             .samples = 3,
                             .labels = 2,
                             .all_labels = 3};
  CHECK(refusals(parse_exposition(text, kText, limits)).empty());
  const auto [member, line] = GENERATE(table<std::size_t ExpositionLimits::*, std::string>({
      {&ExpositionLimits::page_bytes, "0"},
      {&ExpositionLimits::line_bytes, "2"},
      {&ExpositionLimits::families, "3"},
      {&ExpositionLimits::samples, "4"},
      {&ExpositionLimits::labels, "2"},
      {&ExpositionLimits::all_labels, "4"},
  }));
  limits.*member -= 1;
  const auto page = parse_exposition(text, kText, limits);
  CHECK(page.is_refused);
  CHECK(page.families.empty());
  CHECK(refusals(page) == "limit " + line);
}

TEST_CASE("no truncation and no damage of a page does harm, and what is left can be read again") {
  const auto [whole, format] = GENERATE(
      table<std::string, TextFormat>({{kWhole, kText}, {kWholeOpenMetrics, kOpenMetrics}}));
  std::size_t good = 0;
  tests::survives_truncation_and_damage(whole, [&, read_as = format](const std::string& text) {
    const auto page = parse_exposition(text, read_as);
    for (const auto written_as : {kText, kOpenMetrics}) {
      const auto shown = written(page, written_as);
      const auto again = parse_exposition(shown, written_as);
      if (again.refused.empty() && written(again, written_as) == shown)
        ++good;
      else if (again.is_refused)
        FAIL(refusals(again) + " of\n" + shown);
    }
  });
  CHECK(good > 1000);
}

TEST_CASE("the parts of a family that is on the page already are left out with it") {
  const auto page = parse_exposition(kWhole, kText);
  metrics::TextEncoder encoder(kText);
  for (const auto* time : {"first", "second"}) {
    INFO(time);
    for (const auto& family : page.families) {
      encoder.family(family.family);
      for (const auto& sample : family.samples) {
        encoder.part(sample.suffix, family.labels_of(sample), sample.value);
      }
    }
    CHECK(encoder.text() == kWhole);
  }
  CHECK(encoder.refused().size() == page.families.size());
}

TEST_CASE("a Content-Type names the format, or none") {
  using metrics::text_format_of;
  for (const auto* type : {"text/plain", "text/plain; charset=utf-8", "Text/Plain;version=0.0.4",
                           "text/plain; version=\"0.0.4\"; charset=utf-8"}) {
    INFO(type);
    CHECK(text_format_of(type) == kText);
  }
  for (const auto* type : {"application/openmetrics-text",
                           "application/openmetrics-text; version=1.0.0; charset=utf-8"}) {
    INFO(type);
    CHECK(text_format_of(type) == kOpenMetrics);
  }
  for (const auto* type :
       {"", ";", "text/html", "text/plainer", "application/json", "text/plain; version=1.0.0",
        "text/plain; version=", "application/openmetrics-text; version=2.0.0"}) {
    INFO(type);
    CHECK_FALSE(text_format_of(type).has_value());
  }
}
