#include "http/target.hpp"

#include <charconv>

namespace http {
namespace {

std::optional<std::string> decode(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded += text[at] == '+' ? ' ' : text[at];
      continue;
    }
    constexpr std::size_t kDigits = 2;
    const auto digits = text.substr(at + 1, kDigits);
    unsigned byte = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (error != std::errc{} || end != digits.data() + kDigits) return std::nullopt;
    decoded += static_cast<char>(byte);
    at += kDigits;
  }
  return decoded;
}

}  // namespace

std::optional<Target> parse_target(std::string_view text) {
  if (!text.starts_with('/')) return std::nullopt;
  const auto mark = text.find('?');
  Target target{.path = text.substr(0, mark), .parameters = {}};
  if (mark == std::string_view::npos) return target;
  auto query = text.substr(mark + 1);
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = decode(pair.substr(0, equals));
    auto value = decode(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
    if (!name || !value || target.parameters.size() == kMaxParameters) return std::nullopt;
    target.parameters.push_back({*std::move(name), *std::move(value)});
  }
  return target;
}

}  // namespace http
