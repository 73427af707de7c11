#include "http/negotiation.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

using http::preferred_offer;
using http::prefers_gzip;

namespace {

constexpr std::array kOffers = {http::MediaType{"text/plain", "0.0.4"},
                                http::MediaType{"application/openmetrics-text", "1.0.0"}};
constexpr std::size_t kText = 0;
constexpr std::size_t kOpenMetrics = 1;

}  // namespace

TEST_CASE("preferred_offer serves scrapers and browsers what they ask for") {
  const auto [who, accept, offer] = GENERATE(table<const char*, const char*, std::size_t>({
      {"Prometheus 2.42",
       "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
       "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
       kOpenMetrics},
      {"Prometheus 2.42 with native histograms",
       "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
       "encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,"
       "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
       kOpenMetrics},
      {"Prometheus 3",
       "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
       "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
       "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
       kOpenMetrics},
      {"Prometheus 3 told to prefer text 0.0.4",
       "text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;"
       "escaping=allow-utf-8;q=0.5,*/*;q=0.2",
       kText},
      {"Firefox",
       "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
       kText},
      {"curl", "*/*", kText},
      {"a client without the field", "", kText},
  }));
  INFO(who);
  CHECK(preferred_offer(accept, kOffers) == offer);
}

TEST_CASE("preferred_offer weighs ranges by quality, and the exact range before the wide one") {
  const auto [accept, offer] = GENERATE(table<const char*, std::size_t>({
      {"application/openmetrics-text", kOpenMetrics},
      {"application/*", kOpenMetrics},
      {"APPLICATION/OpenMetrics-Text; VERSION=1.0.0", kOpenMetrics},
      {"application/openmetrics-text ; version=\"1.0.0\" ; q=1", kOpenMetrics},
      {"application/openmetrics-text;version=0.0.1", kText},  // another version than ours
      {"application/openmetrics-text;version=0.0.1, */*;q=0.1", kText},
      {"text/plain;version=1.0.0, application/openmetrics-text;q=0.1", kOpenMetrics},
      {"text/*, application/openmetrics-text", kText},  // equal: the first offer
      {"text/plain;q=0.5, */*", kOpenMetrics},
      {"*/*, text/plain;q=0", kOpenMetrics},
      {"*/*, application/openmetrics-text;q=0", kText},
      {"*/*;q=0", kText},  // nothing suits: the first offer all the same
      {"image/png", kText},
  }));
  INFO(accept);
  CHECK(preferred_offer(accept, kOffers) == offer);
}

TEST_CASE("preferred_offer does not let a broken range win") {
  const auto range =
      GENERATE("application/openmetrics-text;q=nan", "application/openmetrics-text;q=inf",
               "application/openmetrics-text;q=-1", "application/openmetrics-text;q=2",
               "application/openmetrics-text;q=1e999",
               "application/openmetrics-text;q=", "application/openmetrics-text;q",
               "application/openmetrics-text;q=1x", "application/openmetrics-text;q=\"",
               "application/openmetrics-text;q= 1 1", "application/openmetrics-text;q=0.000",
               "application", "application/", "/", "/*", "*/", ";;;", "=", ";q=1", "\"",
               "application/openmetrics-textual", "application/openmetrics-tex");
  INFO(range);
  CHECK(preferred_offer(std::string(range) + ",text/plain;q=0.1", kOffers) == kText);
  CHECK(preferred_offer(std::string("text/plain;q=0.1,") + range, kOffers) == kText);
}

TEST_CASE("prefers_gzip takes gzip where the client likes it as much as plain bytes") {
  const auto [accept_encoding, is_gzip] = GENERATE(table<const char*, bool>({
      {"gzip", true},
      {"GZip", true},
      {"gzip, deflate, br", true},
      {"deflate,gzip;q=0.5", true},
      {"gzip;q=0.001", true},
      {"*", true},
      {"*;q=0.1", true},
      {"gzip, identity", true},
      {"gzip;q=0.5, identity;q=0.5", true},
      {"identity;q=0, gzip;q=0.1", true},
      {"", false},
      {"deflate, br", false},
      {"identity", false},
      {"gzip;q=0", false},
      {"gzip;q=0.0, *", false},
      {"*;q=0", false},
      {"gzip;q=0.5, identity", false},
      {"identity;q=0.5, *;q=0.1", false},
      {"gzip;q=nan", false},
      {"gzip;q=1x", false},
      {"gzip;q=", false},
      {"gzipped", false},
      {"gzi", false},
      {"g zip", false},
      {",;,;=,", false},
  }));
  INFO(accept_encoding);
  CHECK(prefers_gzip(accept_encoding) == is_gzip);
}

TEST_CASE("equal_ignoring_case folds ASCII letters only") {
  CHECK(http::equal_ignoring_case("Content-Type", "content-TYPE"));
  CHECK(http::equal_ignoring_case("", ""));
  CHECK_FALSE(http::equal_ignoring_case("a", "ab"));
  CHECK_FALSE(http::equal_ignoring_case("@[", "`{"));  // 32 apart like letters, but none
  CHECK_FALSE(http::equal_ignoring_case("\xC3\x89", "\xC3\xA9"));
}

TEST_CASE("negotiation survives any truncation and any damage") {
  const std::string whole = "application/openmetrics-text;version=\"1.0.0\";q=0.5 , */*;q=0,gzip";
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    // A copy of its own size, so that ASan sees a read behind the end.
    const std::vector<char> text(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut));
    CHECK(preferred_offer({text.data(), text.size()}, kOffers) < kOffers.size());
    (void)prefers_gzip({text.data(), text.size()});
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      auto damaged = whole;
      damaged[at] = static_cast<char>(byte);
      if (preferred_offer(damaged, kOffers) >= kOffers.size()) FAIL(damaged);
      (void)prefers_gzip(damaged);
    }
  }
}
