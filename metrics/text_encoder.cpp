#include "metrics/text_encoder.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>

#include "metrics/escape.hpp"

namespace metrics {
namespace {

constexpr std::size_t kMaxNumberBytes = 32;
constexpr std::string_view kCounterSuffix = "_total";

char* write(char* out, std::string_view text) { return std::copy(text.begin(), text.end(), out); }

char* write_integer(char* out, std::int64_t value) {
  return std::to_chars(out, out + kMaxNumberBytes, value).ptr;
}

/// Nearly all of the kernel's numbers are counts, or ticks, milliseconds or microseconds turned
/// into seconds. Those with at most six decimals are written as integers, several times faster than
/// the general way; where dividing gives the same double back, this is its shortest text too.
char* write_decimal(char* out, double value) {
  constexpr double kScale = 1e6;
  constexpr std::int64_t kUnit = 1'000'000;
  const double scaled = std::nearbyint(value * kScale);
  if (scaled / kScale != value) return std::to_chars(out, out + kMaxNumberBytes, value).ptr;
  const auto total = static_cast<std::int64_t>(scaled);
  if (total < 0) *out++ = '-';
  const auto magnitude = total < 0 ? -total : total;
  out = write_integer(out, magnitude / kUnit);
  *out++ = '.';
  auto decimals = magnitude % kUnit;
  for (auto place = kUnit / 10; decimals > 0; place /= 10) {
    *out++ = static_cast<char>('0' + decimals / place);
    decimals %= place;
  }
  return out;
}

char* write_number(char* out, double value) {
  // Doubles hold every integer up to 2^53; a product below it loses no digit that counts.
  constexpr double kExactIntegers = 9007199254740992.0;
  constexpr double kMaxDecimal = 1e9;
  const double magnitude = std::abs(value);
  if (magnitude < kExactIntegers) {
    const auto integer = static_cast<std::int64_t>(value);
    if (static_cast<double>(integer) != value) {
      if (magnitude < kMaxDecimal) return write_decimal(out, value);
    } else if (integer != 0 || !std::signbit(value)) {
      return write_integer(out, integer);
    }
  }
  if (std::isnan(value)) return write(out, "NaN");
  if (std::isinf(value)) return write(out, value > 0 ? "+Inf" : "-Inf");
  return std::to_chars(out, out + kMaxNumberBytes, value).ptr;
}

using Digits = std::array<char, kMaxNumberBytes + 2>;

/// A bucket's bound as Prometheus 3 and OpenMetrics write a canonical float: "0.0001", "1.0",
/// "1e+06". Two spellings of a bound would be two series.
std::string_view bucket_bound(double bound, Digits& digits) {
  const auto text = [&](const char* end) {
    return std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()));
  };
  if (!std::isfinite(bound)) return text(write_number(digits.data(), bound));
  const auto size = std::ssize(digits);
  auto* end =
      std::to_chars(digits.data(), digits.data() + size, bound, std::chars_format::scientific).ptr;
  const auto exponent_at = text(end).find('e') + 1;
  int exponent = 0;
  const auto* sign = digits.data() + exponent_at;
  std::from_chars(*sign == '+' ? sign + 1 : sign, end, exponent);
  if (exponent < -4 || exponent > 5) return text(end);
  end = std::to_chars(digits.data(), digits.data() + size, bound, std::chars_format::fixed).ptr;
  if (text(end).find('.') == std::string_view::npos) end = write(end, ".0");
  return text(end);
}

/// OpenMetrics names a counter's family without the suffix that its samples carry.
bool is_suffixed_counter(const Family& family) {
  return family.kind == Kind::counter && family.name.ends_with(kCounterSuffix);
}

std::string_view type_name(const Family& family, TextFormat format) {
  const bool openmetrics = format == TextFormat::openmetrics_1_0_0;
  switch (family.kind) {
    case Kind::gauge:
      return "gauge";
    case Kind::counter:
      return openmetrics && !is_suffixed_counter(family) ? "unknown" : "counter";
    case Kind::histogram:
      return "histogram";
    case Kind::summary:
      return "summary";
    case Kind::unknown:
      break;
  }
  return openmetrics ? "unknown" : "untyped";
}

}  // namespace

char* TextEncoder::reserve(std::size_t bytes) {
  if (buffer_.size() - used_ < bytes) buffer_.resize(std::max(used_ + bytes, 2 * buffer_.size()));
  return buffer_.data() + used_;
}

void TextEncoder::on_family(const Family& family) {
  name_ = family.name;
  auto shown = family.name;
  if (format_ == TextFormat::openmetrics_1_0_0 && is_suffixed_counter(family)) {
    shown.remove_suffix(kCounterSuffix.size());
  }
  refusing_ = !remember(shown);
  if (refusing_) {
    refused_.emplace_back(family.name);
    return;
  }
  const auto type = type_name(family, format_);
  // 40: the fixed text of both lines.
  auto* out = reserve(2 * shown.size() + kMaxEscapedBytesPerByte * family.help.size() + 40);
  const auto help = [&] {
    out = write(write(out, "# HELP "), shown);
    *out++ = ' ';
    // 0.0.4 has no escape for a quote in HELP, OpenMetrics requires one.
    const auto quotes = format_ == TextFormat::openmetrics_1_0_0 ? Quotes::escape : Quotes::keep;
    out = write_escaped(out, family.help, quotes);
    *out++ = '\n';
  };
  if (format_ == TextFormat::prometheus_0_0_4) help();
  out = write(write(out, "# TYPE "), shown);
  *out++ = ' ';
  out = write(out, type);
  *out++ = '\n';
  if (format_ == TextFormat::openmetrics_1_0_0) help();
  written_to(out);
}

void TextEncoder::line(std::string_view suffix, Labels labels, const Label* last, double value) {
  std::size_t bound = name_.size() + suffix.size() + kMaxNumberBytes + 4;
  const auto bytes = [](const Label& label) {
    return label.name.size() + kMaxEscapedBytesPerByte * label.value.size() + 4;
  };
  for (const auto& label : labels) bound += bytes(label);
  if (last != nullptr) bound += bytes(*last);

  auto* out = write(write(reserve(bound), name_), suffix);
  char before = '{';
  const auto add = [&](const Label& label) {
    *out++ = before;
    out = write(out, label.name);
    *out++ = '=';
    *out++ = '"';
    out = write_escaped(out, label.value, Quotes::escape);
    *out++ = '"';
    before = ',';
  };
  for (const auto& label : labels) add(label);
  if (last != nullptr) add(*last);
  if (before == ',') *out++ = '}';
  *out++ = ' ';
  out = write_number(out, value);
  *out++ = '\n';
  written_to(out);
}

void TextEncoder::on_sample(Labels labels, double value) {
  if (!refusing_) line({}, labels, nullptr, value);
}

void TextEncoder::on_histogram(Labels labels, const Histogram& histogram) {
  if (refusing_ || histogram.buckets.empty()) return;
  Digits digits;
  for (const auto& bucket : histogram.buckets) {
    const Label le{"le", bucket_bound(bucket.upper_bound, digits)};
    line("_bucket", labels, &le, static_cast<double>(bucket.cumulative_count));
  }
  line("_sum", labels, nullptr, histogram.sum);
  line("_count", labels, nullptr, static_cast<double>(histogram.buckets.back().cumulative_count));
}

void TextEncoder::finish() {
  if (format_ == TextFormat::openmetrics_1_0_0) written_to(write(reserve(8), "# EOF\n"));
}

void TextEncoder::restart(TextFormat format) {
  format_ = format;
  used_ = 0;
  name_ = {};
  refusing_ = false;
  std::fill(names_.begin(), names_.end(), 0);
  name_count_ = 0;
  refused_.clear();
}

/// False when `name` is already on the page. Only hashes are kept: the one who could make two
/// names collide would have his own family refused, as he comes after the host's.
bool TextEncoder::remember(std::string_view name) {
  if (2 * (name_count_ + 1) > names_.size()) grow_names();
  const auto hash = std::hash<std::string_view>{}(name) | 1U;
  const auto mask = names_.size() - 1;
  for (auto at = (hash >> 1U) & mask;; at = (at + 1) & mask) {
    if (names_[at] == hash) return false;
    if (names_[at] != 0) continue;
    names_[at] = hash;
    ++name_count_;
    return true;
  }
}

void TextEncoder::grow_names() {
  const auto old = std::move(names_);
  names_.assign(std::max<std::size_t>(256, 2 * old.size()), 0);
  const auto mask = names_.size() - 1;
  for (const auto hash : old) {
    if (hash == 0) continue;
    auto at = (hash >> 1U) & mask;
    while (names_[at] != 0) at = (at + 1) & mask;
    names_[at] = hash;
  }
}

}  // namespace metrics
