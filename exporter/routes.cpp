#include "exporter/routes.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "collectors/catalog.hpp"
#include "exporter/http_page_fetcher.hpp"
#include "exporter/landing_page.hpp"
#include "http/negotiation.hpp"
#include "service/log.hpp"

namespace exporter {
namespace {

namespace asio = boost::asio;
using service::LogLevel;

constexpr std::string_view kHtml = "text/html; charset=utf-8";

struct Format {
  http::MediaType media_type;
  metrics::TextFormat format;
  std::string_view content_type;
};
// The first is what a client gets who does not care.
constexpr std::array kFormats = {
    Format{{"text/plain", "0.0.4"},
           metrics::TextFormat::prometheus_0_0_4,
           "text/plain; version=0.0.4; charset=utf-8"},
    Format{{"application/openmetrics-text", "1.0.0"},
           metrics::TextFormat::openmetrics_1_0_0,
           "application/openmetrics-text; version=1.0.0; charset=utf-8"},
};

const Format& preferred_format(std::string_view accept) {
  static constexpr std::array kOffers = {kFormats[0].media_type, kFormats[1].media_type};
  return kFormats.at(http::preferred_offer(accept, kOffers));
}

/// Without the pages of others, for one of those who pass on this page.
Selection for_relay(Selection selection, const CollectorNames& names) {
  const auto upstream = std::find(names.begin(), names.end(), collectors::kUpstream.name);
  if (upstream != names.end()) selection.reset(static_cast<std::size_t>(upstream - names.begin()));
  return selection;
}

}  // namespace

std::variant<Selection, std::string> select_collectors(const http::Target& target,
                                                       const CollectorNames& names) {
  Selection collect;
  Selection exclude;
  for (const auto& [name, value] : target.parameters) {
    const bool is_collect = name == "collect[]";
    if (!is_collect && name != "exclude[]") continue;
    const auto found = std::find(names.begin(), names.end(), value);
    if (found == names.end()) {
      return "No such collector is enabled; the landing page lists them.\n";
    }
    (is_collect ? collect : exclude).set(static_cast<std::size_t>(found - names.begin()));
  }
  if (collect.any() && exclude.any()) return "Use either collect[] or exclude[], not both.\n";
  if (collect.any()) return collect;
  Selection all;
  for (std::size_t i = 0; i < names.size(); ++i) all.set(i);
  return all & ~exclude;
}

Clock::duration scrape_budget(std::string_view timeout_seconds) {
  constexpr double kWayBackSeconds = 0.5;
  constexpr double kLeastSeconds = 0.5;
  constexpr double kMostSeconds = 120;
  double seconds = 0;
  const auto* end = timeout_seconds.data() + timeout_seconds.size();
  const auto [stop, error] = std::from_chars(timeout_seconds.data(), end, seconds);
  const bool is_sensible = error == std::errc{} && stop == end && seconds > 0;
  if (!is_sensible) return std::chrono::seconds(10);
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(
      std::clamp(seconds - kWayBackSeconds, kLeastSeconds, kMostSeconds)));
}

Route Routes::find(std::string_view path) const {
  if (path == options_.telemetry_path) return Route::metrics;
  if (path == "/") return Route::landing;
  if (path == "/-/healthy") return Route::healthy;
  if (path == "/-/ready") return Route::ready;
  return Route::unknown;
}

asio::awaitable<http::Response> Routes::handle(const http::Request& request) {
  const auto start = Clock::now();
  const auto target = http::parse_target(request.target);
  const auto route = target ? find(target->path) : Route::unknown;
  http::Response response;
  if (!target) {
    response = http::text_response(400, "The query is broken or has too many parameters.\n");
  } else if (route == Route::unknown) {
    response = http::text_response(404, "There is nothing here; see / for what there is.\n");
  } else if (request.method != "GET" && request.method != "HEAD") {
    response = http::text_response(405, "Only GET and HEAD are allowed.\n");
    response.allow = "GET, HEAD";
  } else {
    try {
      response = co_await answer(route, request, *target);
    } catch (const std::exception& error) {
      service::log(LogLevel::error, "request failed", {{"problem", error.what()}});
      response = http::text_response(500, "Internal error; the log says more.\n");
    }
  }
  self_.observe_request(route, response.status, Clock::now() - start);
  co_return response;
}

asio::awaitable<http::Response> Routes::answer(Route route, const http::Request& request,
                                               const http::Target& target) {
  if (route == Route::metrics) co_return co_await scrape(request, target);
  if (route == Route::landing) {
    auto response = http::text_response(
        200, landing_page(options_.telemetry_path, collectors_.names(), collectors_.reports()));
    response.content_type = kHtml;
    co_return response;
  }
  if (route == Route::healthy) co_return http::text_response(200, "Healthy.\n");
  const bool is_ready = !is_stopping_ && collectors_.last_tick() != Clock::time_point{};
  co_return is_ready ? http::text_response(200, "Ready.\n")
                     : http::text_response(503, "Not ready.\n");
}

asio::awaitable<http::Response> Routes::scrape(const http::Request& request,
                                               const http::Target& target) {
  auto selected = select_collectors(target, collectors_.names());
  if (const auto* problem = std::get_if<std::string>(&selected)) {
    co_return http::text_response(400, *problem);
  }
  auto selection = std::get<Selection>(selected);
  if (request.field("Via").find(kVia) != std::string_view::npos) {
    selection = for_relay(selection, collectors_.names());
  }
  const auto& format = preferred_format(request.field("Accept"));
  http::Response response{.content_type = format.content_type, .vary = "Accept, Accept-Encoding"};
  if (request.method == "HEAD") co_return response;  // a probe must not cost a pass
  const bool is_gzip_wanted = http::prefers_gzip(request.field("Accept-Encoding"));
  const auto budget = scrape_budget(request.field("X-Prometheus-Scrape-Timeout-Seconds"));
  const auto page = co_await collectors_.scrape(
      {.format = format.format, .selection = selection, .gzip = is_gzip_wanted}, budget);
  if (page == nullptr) {
    co_return http::text_response(503, "Too many different pages are asked for at once.\n");
  }
  self_.observe_page(page->text.text().size());
  const bool is_gzip = is_gzip_wanted && !page->gzip.empty();
  if (is_gzip) response.content_encoding = "gzip";
  response.body = is_gzip ? std::string_view(page->gzip) : page->text.text();
  response.owner = page;
  co_return response;
}

}  // namespace exporter
