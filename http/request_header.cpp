#include "http/request_header.hpp"

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

/// 0, or the status that refuses the body that the header announces.
unsigned refusal_of_body(const Message& message, std::size_t lengths, std::size_t codings,
                         std::size_t most_bytes) {
  if (codings > 0 && lengths == 0 && most_bytes > 0) return 411;
  if (codings > 0 || lengths > 1) return 400;
  if (lengths == 0 || content_length(message) == "0") return 0;
  if (most_bytes == 0) return 413;
  const auto bytes = parse_length(content_length(message));
  if (!bytes) return 400;
  return *bytes > most_bytes ? 413 : 0;
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

unsigned refusal_of(const Message& message, const Limits& limits) {
  const auto count = [&](field name) {
    const auto [begin, end] = message.equal_range(name);
    return static_cast<std::size_t>(std::distance(begin, end));
  };
  if (message.target().size() > limits.target_bytes) return 414;
  if (!message.target().starts_with('/')) return 400;
  const auto fields = std::distance(message.begin(), message.end());
  if (static_cast<std::size_t>(fields) > limits.header_fields) return 431;
  const auto hosts = count(field::host);
  if (hosts > 1 || (hosts == 0 && message.version() >= kHttp11)) return 400;
  return refusal_of_body(message, count(field::content_length), count(field::transfer_encoding),
                         limits.body_bytes);
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
