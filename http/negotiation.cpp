#include "http/negotiation.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace http {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// Takes what stands before `separator` off `text`.
std::string_view take_until(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  const auto part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return trimmed(part);
}

/// One element of a list such as `text/plain;version=0.0.4;q=0.5`.
struct Element {
  std::string_view value;
  std::string_view version;
  double quality = 1;
};

Element parse_element(std::string_view text) {
  Element element{.value = take_until(text, ';'), .version = {}};
  while (!text.empty()) {
    auto value = take_until(text, ';');
    const auto name = take_until(value, '=');
    value = trimmed(value);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    if (equal_ignoring_case(name, "version")) element.version = value;
    if (equal_ignoring_case(name, "q")) {
      const auto [end, error] =
          std::from_chars(value.data(), value.data() + value.size(), element.quality);
      // A broken q, or "nan", must not win.
      const bool is_number = error == std::errc{} && end == value.data() + value.size();
      if (!is_number || !(element.quality >= 0 && element.quality <= 1)) element.quality = 0;
    }
  }
  return element;
}

/// How exactly `range` names `offer`: 0 not at all, then */*, type/*, type/subtype, with version.
int specificity(const Element& range, const MediaType& offer) {
  if (!range.version.empty() && range.version != offer.version) return 0;
  if (range.value == "*/*" || range.value == "*") return 1;
  const auto type = offer.type.substr(0, offer.type.find('/') + 1);
  if (range.value.ends_with("/*")) {
    return equal_ignoring_case(range.value.substr(0, range.value.size() - 1), type) ? 2 : 0;
  }
  if (!equal_ignoring_case(range.value, offer.type)) return 0;
  return range.version.empty() ? 3 : 4;
}

double quality_of(std::string_view accept, const MediaType& offer) {
  int best = 0;
  double quality = 0;
  while (!accept.empty()) {
    const auto range = parse_element(take_until(accept, ','));
    const auto match = specificity(range, offer);
    if (match > best) {
      best = match;
      quality = range.quality;
    }
  }
  return quality;
}

}  // namespace

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [&](char a, char b) { return lower(a) == lower(b); });
}

std::size_t preferred_offer(std::string_view accept, std::span<const MediaType> offers) {
  std::size_t best = 0;
  double best_quality = 0;
  for (std::size_t i = 0; i < offers.size(); ++i) {
    const auto quality = quality_of(accept, offers[i]);
    if (quality <= best_quality) continue;
    best = i;
    best_quality = quality;
  }
  return best;
}

bool prefers_gzip(std::string_view accept_encoding) {
  std::optional<double> gzip;
  std::optional<double> identity;
  std::optional<double> any;
  while (!accept_encoding.empty()) {
    const auto coding = parse_element(take_until(accept_encoding, ','));
    if (equal_ignoring_case(coding.value, "gzip")) gzip = coding.quality;
    if (equal_ignoring_case(coding.value, "identity")) identity = coding.quality;
    if (coding.value == "*") any = coding.quality;
  }
  const auto gzip_quality = gzip.value_or(any.value_or(0));
  return gzip_quality > 0 && gzip_quality >= identity.value_or(0);
}

}  // namespace http
