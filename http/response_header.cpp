#include "http/response_header.hpp"

#include <array>
#include <boost/beast/http/status.hpp>
#include <ctime>
#include <string_view>

namespace http {
namespace {

/// IMF-fixdate of RFC 9110, section 5.6.7, made once a second.
std::string_view http_date() {
  thread_local std::time_t made_at = 0;
  thread_local std::array<char, 32> text;
  thread_local std::size_t size = 0;
  const auto now = std::time(nullptr);
  if (now != made_at) {
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    made_at = now;
  }
  return {text.data(), size};
}

}  // namespace

std::string response_header(const Response& response, const Framing& framing) {
  const auto [version, is_head, is_keep] = framing;
  // To HEAD an empty body means that its length is not known.
  const bool is_length_known = !is_head || !response.body.empty();
  const auto length = is_length_known ? std::to_string(response.body.size()) : std::string();
  const std::array<Field, 9> fields = {{
      {"Date", http_date()},
      {"Content-Type", response.content_type},
      {"Content-Encoding", response.content_encoding},
      {"Content-Length", length},
      {"Allow", response.allow},
      {"Vary", response.vary},
      {"Retry-After", response.retry_after},
      {"X-Content-Type-Options", "nosniff"},
      // HTTP/1.1 keeps unless told otherwise.
      {"Connection", is_keep ? (version == kHttp10 ? "keep-alive" : "") : "close"},
  }};
  const auto status = static_cast<boost::beast::http::status>(response.status);
  const auto reason = boost::beast::http::obsolete_reason(status);
  std::string header = version == kHttp10 ? "HTTP/1.0 " : "HTTP/1.1 ";
  header.append(std::to_string(response.status)).append(" ");
  header.append(reason.data(), reason.size()).append("\r\n");
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    header.append(name).append(": ").append(value).append("\r\n");
  }
  return header.append("\r\n");
}

}  // namespace http
