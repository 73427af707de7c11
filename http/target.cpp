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

std::optional<std::vector<Parameter>> parse_parameters(std::string_view text) {
  std::vector<Parameter> parameters;
  while (!text.empty()) {
    const auto end = text.find('&');
    const auto pair = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = decode(pair.substr(0, equals));
    auto value = decode(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
    if (!name || !value || parameters.size() == kMaxParameters) return std::nullopt;
    parameters.push_back({*std::move(name), *std::move(value)});
  }
  return parameters;
}

std::optional<Target> parse_target(std::string_view text) {
  if (!text.starts_with('/')) return std::nullopt;
  const auto mark = text.find('?');
  const auto query = mark == std::string_view::npos ? std::string_view() : text.substr(mark + 1);
  auto parameters = parse_parameters(query);
  if (!parameters) return std::nullopt;
  return Target{.path = text.substr(0, mark), .parameters = *std::move(parameters)};
}

}  // namespace http
