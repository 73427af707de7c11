#include "http/request_header.hpp"

#include <boost/beast/http/error.hpp>
#include <charconv>
#include <iterator>
#include <optional>

#include "http/negotiation.hpp"
#include "http/response_header.hpp"

namespace http {
namespace {

using boost::beast::http::field;

/// Decimal digits as one writes them; no sign, no list, and no zero that another may read as octal.
std::optional<std::size_t> parse_length(std::string_view text) {
  std::size_t bytes = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, bytes);
  const bool is_padded = text.size() > 1 && text.starts_with('0');
  if (error != std::errc{} || stop != end || is_padded) return std::nullopt;
  return bytes;
}

std::string_view content_length(const Message& message) {
  const auto value = message[field::content_length];
  return {value.data(), value.size()};
}

constexpr std::string_view kLength = "Content-Length";
constexpr std::string_view kCoding = "Transfer-Encoding";

/// What refuses the body that the header announces; the target is left to the caller.
std::optional<Refused> refusal_of_body(const Message& message, std::size_t lengths,
                                       std::size_t codings, std::size_t most_bytes) {
  if (codings > 0) {
    const bool is_length_missing = lengths == 0 && most_bytes > 0;
    return Refused{.status = is_length_missing ? 411U : 400U, .field = kCoding};
  }
  if (lengths > 1) return Refused{.status = 400, .field = kLength};
  if (lengths == 0 || content_length(message) == "0") return std::nullopt;
  if (most_bytes == 0) return Refused{.status = 413, .field = kLength};
  const auto bytes = parse_length(content_length(message));
  if (!bytes) return Refused{.status = 400, .field = kLength};
  if (*bytes > most_bytes) return Refused{.status = 413, .field = kLength};
  return std::nullopt;
}

}  // namespace

bool is_ambiguous(std::string_view header, std::size_t begin) {
  for (auto at = begin; at < header.size(); ++at) {
    const char c = header[at];
    const char before = at > 0 ? header[at - 1] : '\0';
    if ((before == '\r') != (c == '\n')) return true;
    if (before == '\n' && (c == ' ' || c == '\t')) return true;
    const bool is_control = (c >= '\0' && c < ' ') || c == '\x7F';
    if (is_control && c != '\t' && c != '\r' && c != '\n') return true;
  }
  return false;
}

std::optional<Refused> refusal_of(const Message& message, const Limits& limits) {
  const std::string_view target(message.target().data(), message.target().size());
  const auto count = [&](field name) {
    const auto [begin, end] = message.equal_range(name);
    return static_cast<std::size_t>(std::distance(begin, end));
  };
  if (target.size() > limits.target_bytes) return Refused{414, target, "target"};
  if (!target.starts_with('/')) return Refused{400, target, "target"};
  const auto fields = std::distance(message.begin(), message.end());
  if (static_cast<std::size_t>(fields) > limits.header_fields) {
    return Refused{431, target, "header"};
  }
  const auto hosts = count(field::host);
  if (hosts > 1 || (hosts == 0 && message.version() >= kHttp11)) {
    return Refused{400, target, "Host"};
  }
  auto refused = refusal_of_body(message, count(field::content_length),
                                 count(field::transfer_encoding), limits.body_bytes);
  if (refused) refused->target = target;
  return refused;
}

std::string_view field_of(const boost::system::error_code& failure) {
  using boost::beast::http::error;
  if (failure == error::bad_content_length || failure == error::multiple_content_length) {
    return kLength;
  }
  return failure == error::bad_transfer_encoding ? kCoding : "header";
}

std::string_view target_of(std::string_view header) {
  const auto line = header.substr(0, header.find_first_of("\r\n"));
  const auto begin = line.find(' ');
  if (begin == std::string_view::npos || !line.substr(begin + 1).starts_with('/')) return {};
  const auto rest = line.substr(begin + 1);
  return rest.substr(0, rest.find(' '));
}

std::size_t body_bytes_of(const Message& message) {
  return parse_length(content_length(message)).value_or(0);
}

bool awaits_continue(const Message& message) {
  const auto expect = message[field::expect];
  return message.version() >= kHttp11 &&
         equal_ignoring_case({expect.data(), expect.size()}, "100-continue");
}

}  // namespace http
