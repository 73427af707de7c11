#include "model_server/client/prediction.hpp"

#include <boost/json/parse.hpp>
#include <charconv>
#include <cmath>

#include "service/number.hpp"

namespace model_client {
namespace {

/// All but letters, digits and what never has a meaning in a form is escaped.
void append_form_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += {'%', kDigits[byte >> 4U], kDigits[byte & 0xFU]};
    }
  }
}

}  // namespace

std::optional<Url> parse_url(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (!text.starts_with(kScheme)) return std::nullopt;
  text.remove_prefix(kScheme.size());
  for (const char c : text) {
    if (c <= ' ' || c == '#' || c == '@' || c == '\x7F') return std::nullopt;
  }
  Url url;
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) url.path = text.substr(slash);
  auto host = text.substr(0, slash);
  const auto bracket = host.starts_with('[') ? host.find(']') : std::string_view::npos;
  const auto colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const auto port = host.substr(colon + 1);
    const auto* end = port.data() + port.size();
    const auto [stop, error] = std::from_chars(port.data(), end, url.port);
    if (error != std::errc{} || stop != end || url.port == 0) return std::nullopt;
    host = host.substr(0, colon);
  }
  if (bracket != std::string_view::npos) {
    if (bracket + 1 != host.size()) return std::nullopt;
    host = host.substr(1, bracket - 1);
  }
  if (host.empty()) return std::nullopt;
  url.host = host;
  return url;
}

std::string prediction_form(std::span<const double> input) {
  std::string list = "[[[";
  for (const double value : input) {
    if (list.back() != '[') list += ", ";
    list += service::shortest(value);
  }
  list += "]]]";
  std::string form = "inputs=";
  append_form_encoded(form, list);
  return form;
}

std::optional<double> read_prediction(std::string_view body) {
  boost::json::error_code error;
  const auto answer = boost::json::parse({body.data(), body.size()}, error);
  if (error || !answer.is_object()) return std::nullopt;
  const auto* result = answer.get_object().if_contains("prediction_result");
  if (result == nullptr) return std::nullopt;
  if (const auto* text = result->if_string())
    return service::to_finite({text->data(), text->size()});
  const auto number = result->to_number<double>(error);
  if (error || !std::isfinite(number)) return std::nullopt;
  return number;
}

}  // namespace model_client
