#include "collectors/upstream_pages.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "metrics/escape.hpp"
#include "procfs/text.hpp"

namespace collectors {
namespace {

constexpr std::string_view kScheme = "http://";
constexpr std::size_t kMaxUpstreams = 16;  // each may fill some megabytes

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return metrics::can_stand_in_a_name(c) || c == '-' || c == '.';
  });
}

bool is_of_a_url(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7F'; });
}

/// The host, which is between brackets when it has a colon; takes it off `text`.
std::optional<std::string_view> take_host(std::string_view& text) {
  const bool is_bracketed = text.starts_with('[');
  const auto end = is_bracketed ? text.find(']') : text.find(':');
  if (is_bracketed && end == std::string_view::npos) return std::nullopt;
  const auto host = text.substr(is_bracketed ? 1 : 0, is_bracketed ? end - 1 : end);
  text.remove_prefix(std::min(is_bracketed ? end + 1 : end, text.size()));
  if (host.empty() || host.find_first_of("@[]?#") != std::string_view::npos) return std::nullopt;
  if (!text.empty() && !text.starts_with(':')) return std::nullopt;
  return host;
}

std::optional<PageAddress> parse_url(std::string_view url) {
  constexpr std::uint16_t kDefaultPort = 80;
  if (!url.starts_with(kScheme) || !is_of_a_url(url)) return std::nullopt;
  url.remove_prefix(kScheme.size());
  const auto slash = std::min(url.find('/'), url.size());
  auto authority = url.substr(0, slash);
  const auto target = url.substr(slash);
  const auto host = take_host(authority);
  if (!host || target.find('#') != std::string_view::npos) return std::nullopt;
  PageAddress address = {.host = std::string(*host),
                         .port = kDefaultPort,
                         .target = target.empty() ? "/metrics" : std::string(target)};
  if (authority.empty()) return address;
  const bool is_port = procfs::to_number(authority.substr(1), address.port) && address.port != 0;
  if (!is_port) return std::nullopt;
  return address;
}

[[noreturn]] void refuse(const std::string& text, const char* why) {
  throw std::invalid_argument("--collector.upstream: '" + text + "' " + why);
}

}  // namespace

std::vector<UpstreamPage> parse_upstream_pages(const std::vector<std::string>& texts) {
  std::vector<UpstreamPage> pages;
  for (const auto& text : texts) {
    const auto equals = std::min(text.find('='), text.size());
    const auto name = text.substr(0, equals);
    const auto address =
        parse_url(std::string_view(text).substr(std::min(equals + 1, text.size())));
    if (!is_name(name) || !address) {
      refuse(text, "is not NAME=URL, such as model_server=http://127.0.0.1:8080/metrics");
    }
    const bool is_twice = std::any_of(pages.begin(), pages.end(),
                                      [&](const UpstreamPage& page) { return page.name == name; });
    if (is_twice) refuse(text, "has a name that is there before");
    if (pages.size() == kMaxUpstreams) refuse(text, "is one upstream too many: 16 are allowed");
    pages.push_back({name, *address});
  }
  return pages;
}

}  // namespace collectors
