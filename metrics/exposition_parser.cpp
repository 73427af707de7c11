#include "metrics/exposition_parser.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>
#include <utility>

#include "metrics/exposition_family.hpp"
#include "metrics/exposition_line.hpp"

namespace metrics {
namespace {

using What = ExpositionLine::What;

/// Takes what is before the next semicolon, without blanks around it.
std::string take_parameter(std::string_view& text) {
  constexpr std::string_view kBlanks = " \t";
  auto part = text.substr(0, text.find(';'));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  part.remove_prefix(std::min(part.find_first_not_of(kBlanks), part.size()));
  part = part.substr(0, part.find_last_not_of(kBlanks) + 1);
  std::string lower(part);
  for (auto& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

/// A family in the making.
struct Draft {
  std::string_view name;  // as its HELP and TYPE have it
  ExposedType type = ExposedType::untyped;
  bool has_help = false;
  bool has_type = false;
  bool has_unit = false;
  bool has_samples = false;
  bool is_refused = false;
  ExposedFamily exposed = {};
};

class PageParser {
 public:
  PageParser(TextFormat format, const ExpositionLimits& limits)
      : format_(format), limits_(limits), reader_(format, limits.labels, page_.storage) {}

  Exposition parse(std::string_view text) {
    auto refusal = read_lines(text);
    if (refusal) {
      page_.refused.push_back({*refusal, line_, {}});
      page_.is_refused = true;
      return std::move(page_);
    }
    std::set<std::string> names;
    for (auto& draft : drafts_) {
      if (draft.is_refused || draft.exposed.samples.empty()) continue;
      if (const auto line = repeated_line(draft.exposed)) {
        refuse(draft, Refusal::duplicate, *line);
      } else if (const auto misfit = order_parts(draft.exposed)) {
        refuse(draft, Refusal::value, *misfit);
      } else if (!take_names(draft.exposed.family, names)) {
        refuse(draft, Refusal::duplicate, draft.exposed.samples.front().line);
      } else {
        page_.families.push_back(std::move(draft.exposed));
      }
    }
    std::stable_sort(
        page_.refused.begin(), page_.refused.end(),
        [](const Refused& left, const Refused& right) { return left.line < right.line; });
    return std::move(page_);
  }

 private:
  struct Place {
    Draft* draft = nullptr;  // null over the limit of families
    std::string_view suffix = {};
  };

  [[nodiscard]] bool is_openmetrics() const { return format_ == TextFormat::openmetrics_1_0_0; }

  std::optional<Refusal> read_lines(std::string_view text);
  std::optional<Refusal> read_line(std::string_view line);
  void read_metadata(Draft& draft);
  void read_sample(Draft& draft, std::string_view suffix);
  [[nodiscard]] Draft* find(std::string_view name) const;
  Draft* open(std::string_view name);
  Draft* place_of_metadata();
  Place place_of_sample();
  [[nodiscard]] Place known_place() const;
  [[nodiscard]] Place current_place() const;
  void refuse(Draft& draft, Refusal why, std::size_t line);

  TextFormat format_;
  ExpositionLimits limits_;
  Exposition page_;
  ExpositionLineReader reader_;
  ExpositionLine parsed_;
  std::size_t line_ = 0;
  std::size_t sample_count_ = 0;
  std::size_t label_count_ = 0;
  bool has_ended_ = false;
  std::deque<Draft> drafts_;
  std::unordered_map<std::string_view, Draft*> by_name_;
  Draft* current_ = nullptr;  // the family of the line before
};

std::optional<Refusal> PageParser::read_lines(std::string_view text) {
  if (text.size() > limits_.page_bytes) return Refusal::limit;
  while (!text.empty()) {
    ++line_;
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    if (line.size() > limits_.line_bytes) return Refusal::limit;
    // A number may have been cut; only OpenMetrics may end without a newline, as it has an end.
    const bool is_cut = end == std::string_view::npos;
    if (is_cut && !(is_openmetrics() && line == "# EOF")) return Refusal::truncated;
    if (has_ended_) return Refusal::syntax;
    if (const auto refusal = read_line(line)) return refusal;
    text.remove_prefix(is_cut ? text.size() : end + 1);
  }
  if (is_openmetrics() && !has_ended_) return Refusal::truncated;
  return std::nullopt;
}

std::optional<Refusal> PageParser::read_line(std::string_view line) {
  if (const auto refusal = reader_.read(line, parsed_)) return refusal;
  switch (parsed_.what) {
    case What::nothing:
      return std::nullopt;
    case What::end:
      has_ended_ = true;
      return std::nullopt;
    case What::help:
    case What::type:
    case What::unit:
      current_ = place_of_metadata();
      if (current_ == nullptr) return Refusal::limit;
      read_metadata(*current_);
      return std::nullopt;
    case What::sample:
      break;
  }
  label_count_ += parsed_.labels.size();
  if (++sample_count_ > limits_.samples || label_count_ > limits_.all_labels) {
    return Refusal::limit;
  }
  const auto place = place_of_sample();
  if (place.draft == nullptr) return Refusal::limit;
  current_ = place.draft;
  read_sample(*place.draft, place.suffix);
  return std::nullopt;
}

Draft* PageParser::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

Draft* PageParser::open(std::string_view name) {
  if (drafts_.size() == limits_.families) return nullptr;
  auto& draft = drafts_.emplace_back();
  draft.name = name;
  draft.exposed.family.name = name;
  draft.exposed.family.kind = kind_of(draft.type);
  by_name_.emplace(name, &draft);
  return &draft;
}

/// In OpenMetrics the lines of a family are together.
Draft* PageParser::place_of_metadata() {
  if (is_openmetrics() && current_ != nullptr && current_->name == parsed_.name) return current_;
  auto* const known = find(parsed_.name);
  if (known == nullptr) return open(parsed_.name);
  if (is_openmetrics()) refuse(*known, Refusal::duplicate, line_);
  return known;
}

/// The family of 0.0.4 that has announced samples of that name.
PageParser::Place PageParser::known_place() const {
  const auto name = parsed_.name;
  if (auto* const exact = find(name); exact != nullptr) return {exact, {}};
  static constexpr std::array<std::string_view, 3> kSuffixes = {"_bucket", "_sum", "_count"};
  for (const auto suffix : kSuffixes) {
    if (!name.ends_with(suffix)) continue;
    auto* const draft = find(name.substr(0, name.size() - suffix.size()));
    if (draft != nullptr && is_sample_suffix(draft->type, suffix, format_)) return {draft, suffix};
  }
  return {};
}

/// The family of OpenMetrics whose lines are being read, when the sample is one of it.
PageParser::Place PageParser::current_place() const {
  if (current_ == nullptr || !parsed_.name.starts_with(current_->name)) return {};
  const auto suffix = parsed_.name.substr(current_->name.size());
  const bool is_of_it = suffix.empty() || is_sample_suffix(current_->type, suffix, format_);
  return is_of_it ? Place{current_, suffix} : Place{};
}

PageParser::Place PageParser::place_of_sample() {
  const auto place = is_openmetrics() ? current_place() : known_place();
  if (place.draft != nullptr) return place;
  auto* const known = find(parsed_.name);  // in OpenMetrics alone: it was left before
  if (known == nullptr) return {open(parsed_.name), {}};
  refuse(*known, Refusal::duplicate, line_);
  return {known, {}};
}

void PageParser::read_metadata(Draft& draft) {
  auto& has_it = parsed_.what == What::help   ? draft.has_help
                 : parsed_.what == What::type ? draft.has_type
                                              : draft.has_unit;
  if (std::exchange(has_it, true)) return refuse(draft, Refusal::duplicate, line_);
  const bool is_type = parsed_.what == What::type;
  if (draft.has_samples && (is_type || is_openmetrics())) {
    return refuse(draft, Refusal::type, line_);
  }
  if (parsed_.what == What::help) draft.exposed.family.help = parsed_.text;
  if (!is_type) return;
  draft.type = exposed_type(parsed_.text, format_);
  draft.exposed.family.kind = kind_of(draft.type);
  if (draft.type == ExposedType::strange) refuse(draft, Refusal::type, line_);
}

void PageParser::read_sample(Draft& draft, std::string_view suffix) {
  draft.has_samples = true;
  if (draft.is_refused) return;
  if (!is_sample_suffix(draft.type, suffix, format_)) return refuse(draft, Refusal::type, line_);
  if (parsed_.flaw) return refuse(draft, *parsed_.flaw, line_);
  if (suffix == "_created") return;
  const auto refusal =
      check_sample(draft.type, suffix, parsed_.value, parsed_.labels, page_.storage);
  if (refusal) return refuse(draft, *refusal, line_);
  auto& exposed = draft.exposed;
  // Named by their samples, as 0.0.4 does.
  if (suffix == "_total" || suffix == "_info") {
    exposed.family.name = parsed_.name;
    suffix = {};
  }
  exposed.samples.push_back(
      {suffix, exposed.labels.size(), parsed_.labels.size(), parsed_.value, line_});
  exposed.labels.insert(exposed.labels.end(), parsed_.labels.begin(), parsed_.labels.end());
}

void PageParser::refuse(Draft& draft, Refusal why, std::size_t line) {
  if (std::exchange(draft.is_refused, true)) return;
  page_.refused.push_back({why, line, draft.name});
}

}  // namespace

std::string_view name_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::syntax:
      return "syntax";
    case Refusal::truncated:
      return "truncated";
    case Refusal::limit:
      return "limit";
    case Refusal::type:
      return "type";
    case Refusal::label:
      return "label";
    case Refusal::encoding:
      return "encoding";
    case Refusal::value:
      return "value";
    case Refusal::timestamp:
      return "timestamp";
    case Refusal::duplicate:
      break;
  }
  return "duplicate";
}

std::optional<TextFormat> text_format_of(std::string_view content_type) {
  constexpr std::string_view kVersion = "version=";
  const auto type = take_parameter(content_type);
  const bool is_openmetrics = type == "application/openmetrics-text";
  if (!is_openmetrics && type != "text/plain") return std::nullopt;
  while (!content_type.empty()) {
    const auto parameter = take_parameter(content_type);
    if (!parameter.starts_with(kVersion)) continue;
    auto version = std::string_view(parameter).substr(kVersion.size());
    if (version.size() > 1 && version.starts_with('"') && version.ends_with('"')) {
      version = version.substr(1, version.size() - 2);
    }
    const bool is_ours =
        is_openmetrics ? version == "1.0.0" || version == "0.0.1" : version == "0.0.4";
    if (!is_ours) return std::nullopt;
  }
  return is_openmetrics ? TextFormat::openmetrics_1_0_0 : TextFormat::prometheus_0_0_4;
}

Exposition parse_exposition(std::string_view text, TextFormat format,
                            const ExpositionLimits& limits) {
  return PageParser(format, limits).parse(text);
}

}  // namespace metrics
