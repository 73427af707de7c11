#include "metrics/exposition_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

#include "metrics/escape.hpp"

namespace metrics {
namespace {

using What = ExpositionLine::What;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// In any case; `word` is in lower case.
bool is_word(std::string_view text, std::string_view word) {
  return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                    [](char left, char right) { return to_lower(left) == right; });
}

/// Whether a page can show the value as it is: valid UTF-8 without control characters. Else two
/// values might be one after repair.
bool can_be_shown(std::string_view value) {
  const auto is_plain = [](char c) { return c >= ' ' && c != '\x7F'; };
  return std::all_of(value.begin(), value.end(), is_plain) || repaired(value) == value;
}

/// A number too close to 0 is 0, and one too large is none. Of one that no double can hold the
/// place of its first digit tells which.
std::optional<double> out_of_range(std::string_view text) {
  const auto exponent_at = std::min(text.find_first_of("eE"), text.size());
  const auto digits = text.substr(0, exponent_at);
  const auto point = static_cast<std::int64_t>(std::min(digits.find('.'), digits.size()));
  const auto first = static_cast<std::int64_t>(digits.find_first_of("123456789"));
  const auto place = first < point ? point - first : point - first + 1;
  std::int64_t exponent = 0;
  auto written = text.substr(std::min(exponent_at + 1, text.size()));
  if (written.starts_with('+')) written.remove_prefix(1);
  const auto [stop, error] =
      std::from_chars(written.data(), written.data() + written.size(), exponent);
  if (error == std::errc::result_out_of_range) {
    return written.starts_with('-') ? std::optional(0.0) : std::nullopt;
  }
  return exponent < -place ? std::optional(0.0) : std::nullopt;  // a sum might overflow
}

}  // namespace

std::optional<double> parse_exposed_number(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  const auto with_sign = [is_negative](double value) { return is_negative ? -value : value; };
  if (text.empty()) return std::nullopt;
  if (!is_digit(text.front()) && text.front() != '.') {
    if (is_word(text, "nan")) return std::numeric_limits<double>::quiet_NaN();
    if (is_word(text, "inf") || is_word(text, "infinity")) {
      return with_sign(std::numeric_limits<double>::infinity());
    }
    return std::nullopt;
  }
  double value = 0;
  const auto* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (stop != end) return std::nullopt;
  if (error == std::errc{}) return with_sign(value);
  if (error != std::errc::result_out_of_range) return std::nullopt;
  const auto limit = out_of_range(text);
  if (!limit) return std::nullopt;
  return with_sign(*limit);
}

/// Blanks that may be there. OpenMetrics has none.
bool ExpositionLineReader::skip_gap() {
  const auto before = rest_.size();
  if (!is_openmetrics_) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
  }
  return rest_.size() != before;
}

/// Blanks that must be there: in OpenMetrics a single one.
bool ExpositionLineReader::take_gap() { return is_openmetrics_ ? take(' ') : skip_gap(); }

bool ExpositionLineReader::take(char expected) {
  if (!rest_.starts_with(expected)) return false;
  rest_.remove_prefix(1);
  return true;
}

std::string_view ExpositionLineReader::take_word() {
  const auto word = rest_.substr(0, rest_.find_first_of(" \t"));
  rest_.remove_prefix(word.size());
  return word;
}

/// Of a metric; "" when there is none.
std::string_view ExpositionLineReader::take_name() {
  const auto* const end = std::find_if_not(
      rest_.begin(), rest_.end(), [](char c) { return can_stand_in_a_name(c) || c == ':'; });
  const auto name = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
  if (name.empty() || is_digit(name.front())) return {};
  rest_.remove_prefix(name.size());
  return name;
}

std::string_view ExpositionLineReader::take_label_name() {
  const auto* const end = std::find_if_not(rest_.begin(), rest_.end(), can_stand_in_a_name);
  const auto name = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
  if (name.empty() || is_digit(name.front())) return {};
  rest_.remove_prefix(name.size());
  return name;
}

std::optional<Refusal> ExpositionLineReader::read(std::string_view line, ExpositionLine& parsed) {
  rest_ = line;
  parsed.what = What::nothing;
  parsed.name = {};
  parsed.text = {};
  parsed.labels.clear();
  parsed.flaw.reset();
  skip_gap();
  if (rest_.empty() && !is_openmetrics_) return std::nullopt;
  if (!rest_.starts_with('#')) return read_sample(parsed);
  if (!read_comment(parsed)) return Refusal::syntax;
  return std::nullopt;
}

bool ExpositionLineReader::read_comment(ExpositionLine& parsed) {
  take('#');
  if (!take_gap() && is_openmetrics_) return false;
  const auto keyword = take_word();
  if (is_openmetrics_ && keyword == "EOF" && rest_.empty()) {
    parsed.what = What::end;
    return true;
  }
  struct Keyword {
    std::string_view text;
    What what;
  };
  static constexpr std::array kKeywords = {Keyword{"HELP", What::help}, Keyword{"TYPE", What::type},
                                           Keyword{"UNIT", What::unit}};
  const auto* const known =
      std::find_if(kKeywords.begin(), kKeywords.end(),
                   [keyword](const Keyword& candidate) { return candidate.text == keyword; });
  const bool is_known = known != kKeywords.end() && (is_openmetrics_ || known->what != What::unit);
  if (!is_known) return !is_openmetrics_;  // a comment, which OpenMetrics does not have
  const bool has_gap = take_gap();
  if (rest_.empty() && !is_openmetrics_) return true;  // nothing is said of nobody
  parsed.name = take_name();
  if (!has_gap || parsed.name.empty()) return false;
  if (!take_gap() && !rest_.empty()) return false;
  parsed.what = known->what;
  if (parsed.what == What::help) {
    const auto help = unescaped(rest_, is_openmetrics_);
    parsed.text = help.value_or("");
    return help.has_value();
  }
  parsed.text = take_word();
  skip_gap();
  return rest_.empty();
}

std::optional<Refusal> ExpositionLineReader::read_sample(ExpositionLine& parsed) {
  parsed.what = What::sample;
  parsed.name = take_name();
  if (parsed.name.empty()) return Refusal::syntax;
  const bool has_blank = skip_gap();
  const bool has_labels = take('{');
  if (has_labels) {
    if (const auto refusal = read_labels(parsed)) return refusal;
  }
  // Behind a brace 0.0.4 needs none.
  const bool has_gap = take_gap() || has_blank || (has_labels && !is_openmetrics_);
  const auto value = parse_exposed_number(take_word());
  if (!has_gap || !value) return Refusal::syntax;
  parsed.value = *value;
  if (rest_.empty()) return std::nullopt;
  if (!take_gap() || !read_time(parsed)) return Refusal::syntax;
  return std::nullopt;
}

/// What may come behind the value.
bool ExpositionLineReader::read_time(ExpositionLine& parsed) {
  if (is_openmetrics_ && rest_.starts_with('#')) return read_exemplar();
  if (rest_.empty()) return !is_openmetrics_;
  const auto time = take_word();
  const bool is_number =
      is_openmetrics_
          ? parse_exposed_number(time).has_value()
          : std::all_of(time.begin() + (time.starts_with('-') ? 1 : 0), time.end(), is_digit) &&
                time != "-";
  if (!is_number) return false;
  if (!parsed.flaw) parsed.flaw = Refusal::timestamp;
  if (is_openmetrics_) return rest_.empty() || (take(' ') && read_exemplar());
  skip_gap();
  return rest_.empty();
}

bool ExpositionLineReader::read_exemplar() {
  ExpositionLine exemplar;
  if (!take('#') || !take(' ') || !take('{') || read_labels(exemplar)) return false;
  if (!take(' ') || !parse_exposed_number(take_word())) return false;
  if (rest_.empty()) return true;
  return take(' ') && parse_exposed_number(take_word()) && rest_.empty();
}

/// Behind the brace, and with the one that closes it.
std::optional<Refusal> ExpositionLineReader::read_labels(ExpositionLine& parsed) {
  skip_gap();
  if (take('}')) return std::nullopt;
  for (;;) {
    if (parsed.labels.size() == max_labels_) return Refusal::limit;
    if (!read_label(parsed)) return Refusal::syntax;
    skip_gap();
    const bool has_comma = take(',');
    skip_gap();
    if ((!has_comma || !is_openmetrics_) && take('}')) return std::nullopt;
    if (!has_comma) return Refusal::syntax;
  }
}

bool ExpositionLineReader::read_label(ExpositionLine& parsed) {
  const auto name = take_label_name();
  if (name.empty()) return false;
  skip_gap();
  if (!take('=')) return false;
  skip_gap();
  const auto value = take_quoted();
  if (!value) return false;
  const bool is_twice = std::any_of(parsed.labels.begin(), parsed.labels.end(),
                                    [name](const Label& label) { return label.name == name; });
  // Prometheus keeps names with two underscores for itself: __name__ would be another metric.
  if (is_twice || name.starts_with("__")) parsed.flaw = Refusal::label;
  if (!parsed.flaw && !can_be_shown(*value)) parsed.flaw = Refusal::encoding;
  parsed.labels.push_back({name, *value});
  return true;
}

std::optional<std::string_view> ExpositionLineReader::take_quoted() {
  if (!take('"')) return std::nullopt;
  std::size_t end = 0;
  while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2U : 1U;
  if (end >= rest_.size()) return std::nullopt;
  const auto quoted = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  return unescaped(quoted, true);
}

std::optional<std::string_view> ExpositionLineReader::unescaped(std::string_view text,
                                                                bool has_quotes) {
  if (text.find('\\') == std::string_view::npos) return text;
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      plain += text[at];
      continue;
    }
    if (++at == text.size()) return std::nullopt;
    const char escaped = text[at];
    if (escaped != '\\' && escaped != 'n' && (escaped != '"' || !has_quotes)) return std::nullopt;
    plain += escaped == 'n' ? '\n' : escaped;
  }
  return storage_.emplace_back(std::move(plain));
}

}  // namespace metrics
