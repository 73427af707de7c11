#include "metrics/exposition_family.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "metrics/exposition_line.hpp"
#include "metrics/number.hpp"

namespace metrics {
namespace {

struct TypeWord {
  std::string_view word;
  ExposedType type;
  bool is_in_prometheus, is_in_openmetrics;
};

constexpr std::array kTypeWords = {
    TypeWord{"untyped", ExposedType::untyped, true, false},
    TypeWord{"unknown", ExposedType::untyped, false, true},
    TypeWord{"gauge", ExposedType::gauge, true, true},
    TypeWord{"counter", ExposedType::counter, true, true},
    TypeWord{"histogram", ExposedType::histogram, true, true},
    TypeWord{"summary", ExposedType::summary, true, true},
    TypeWord{"info", ExposedType::info, false, true},
    TypeWord{"stateset", ExposedType::stateset, false, true},
};

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> all) {
  return std::find(all.begin(), all.end(), text) != all.end();
}

/// Whether a sample with the label `name`, a bound, is what `is_wanted` says; spells the bound
/// anew.
bool check_bound(std::string_view name, bool is_wanted, std::vector<Label>& labels,
                 std::deque<std::string>& storage) {
  const auto label = std::find_if(labels.begin(), labels.end(),
                                  [name](const Label& each) { return each.name == name; });
  if (label == labels.end()) return !is_wanted;
  const auto bound = parse_exposed_number(label->value);
  if (!is_wanted || !bound || std::isnan(*bound)) return false;
  std::array<char, kMaxNumberBytes> text;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const auto* const end = write_bound(text.data(), *bound);
  const std::string_view spelled(text.data(), static_cast<std::size_t>(end - text.data()));
  if (spelled != label->value) label->value = storage.emplace_back(spelled);
  return true;
}

/// The labels, but for `bound`, in an order of their own.
std::string label_key(const ExposedFamily& family, const ExposedSample& sample,
                      std::string_view bound = {}) {
  const auto given = family.labels_of(sample);
  std::vector<Label> sorted(given.begin(), given.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const Label& left, const Label& right) { return left.name < right.name; });
  std::string key;
  for (const auto& [name, value] : sorted) {
    if (value.empty() || name == bound) continue;
    // No value has these: such a sample was refused.
    key.append(1, '\1').append(name).append(1, '\2').append(value);
  }
  return key;
}

std::string series_key(const ExposedFamily& family, const ExposedSample& sample) {
  return std::string(sample.suffix) + label_key(family, sample);
}

/// A sample's place among those of a histogram or summary.
struct Place {
  std::size_t whole = 0;  // by the order of their first samples
  enum class Part : std::uint8_t { bounded, sum, count } part = Part::bounded;
  double bound = 0;
  std::size_t index = 0;

  friend bool operator<(const Place& left, const Place& right) {
    return std::tie(left.whole, left.part, left.bound) <
           std::tie(right.whole, right.part, right.bound);
  }
};

std::vector<Place> places_of(const ExposedFamily& family, std::string_view bound) {
  std::vector<Place> places;
  std::unordered_map<std::string, std::size_t> wholes;
  for (const auto& sample : family.samples) {
    auto& place = places.emplace_back(Place{.index = places.size()});
    place.whole = wholes.emplace(label_key(family, sample, bound), wholes.size()).first->second;
    if (sample.suffix == "_sum") place.part = Place::Part::sum;
    if (sample.suffix == "_count") place.part = Place::Part::count;
    for (const auto& [name, value] : family.labels_of(sample)) {
      if (name == bound) place.bound = parse_exposed_number(value).value_or(0);
    }
  }
  return places;
}

/// `places` are in order. The index of a sample that does not fit those before it.
std::optional<std::size_t> misfit(const std::vector<Place>& places,
                                  const std::vector<ExposedSample>& samples) {
  constexpr auto kNone = std::numeric_limits<std::size_t>::max();
  std::size_t whole = kNone;
  double most = 0;
  bool is_closed = true;  // +Inf has come
  for (const auto& place : places) {
    if (place.whole != whole) {
      if (!is_closed) return place.index;
      whole = place.whole;
      most = 0;
      is_closed = false;
    }
    const auto value = samples[place.index].value;
    if (place.part == Place::Part::bounded) {
      if (value < most) return place.index;
      most = value;
      is_closed = std::isinf(place.bound) && place.bound > 0;
    } else if (!is_closed || (place.part == Place::Part::count && value != most)) {
      return place.index;
    }
  }
  if (is_closed || places.empty()) return std::nullopt;
  return places.back().index;
}

}  // namespace

ExposedType exposed_type(std::string_view word, TextFormat format) {
  const bool is_openmetrics = format == TextFormat::openmetrics_1_0_0;
  for (const auto& row : kTypeWords) {
    const bool is_known = is_openmetrics ? row.is_in_openmetrics : row.is_in_prometheus;
    if (is_known && row.word == word) return row.type;
  }
  return ExposedType::strange;
}

Kind kind_of(ExposedType type) {
  switch (type) {
    case ExposedType::gauge:
    case ExposedType::info:
    case ExposedType::stateset:
      return Kind::gauge;
    case ExposedType::counter:
      return Kind::counter;
    case ExposedType::histogram:
      return Kind::histogram;
    case ExposedType::summary:
      return Kind::summary;
    case ExposedType::untyped:
    case ExposedType::strange:
      break;
  }
  return Kind::unknown;
}

bool is_sample_suffix(ExposedType type, std::string_view suffix, TextFormat format) {
  const bool is_openmetrics = format == TextFormat::openmetrics_1_0_0;
  const bool is_creation = is_openmetrics && suffix == "_created";
  switch (type) {
    case ExposedType::counter:
      return is_openmetrics ? suffix == "_total" || is_creation : suffix.empty();
    case ExposedType::histogram:
      return is_one_of(suffix, {"_bucket", "_sum", "_count"}) || is_creation;
    case ExposedType::summary:
      return is_one_of(suffix, {"", "_sum", "_count"}) || is_creation;
    case ExposedType::info:
      return suffix == "_info";
    case ExposedType::strange:
      return is_one_of(suffix, {"", "_bucket", "_sum", "_count", "_gsum", "_gcount", "_total",
                                "_created", "_info"});
    case ExposedType::untyped:
    case ExposedType::gauge:
    case ExposedType::stateset:
      break;
  }
  return suffix.empty();
}

std::optional<Refusal> check_sample(ExposedType type, std::string_view suffix, double value,
                                    std::vector<Label>& labels, std::deque<std::string>& storage) {
  const bool is_part = type == ExposedType::histogram || type == ExposedType::summary;
  const bool is_bucket = type == ExposedType::histogram && suffix == "_bucket";
  const bool is_quantile = type == ExposedType::summary && suffix.empty();
  if (is_part && (!check_bound("le", is_bucket, labels, storage) ||
                  !check_bound("quantile", is_quantile, labels, storage))) {
    return Refusal::label;
  }
  const bool is_count =
      type == ExposedType::counter || is_bucket || (is_part && suffix == "_count");
  if (is_count && !(value >= 0)) return Refusal::value;
  if (type == ExposedType::stateset && value != 0 && value != 1) return Refusal::value;
  return std::nullopt;
}

std::set<std::string> series_of(const ExposedFamily& family) {
  std::set<std::string> all;
  for (const auto& sample : family.samples) all.insert(series_key(family, sample));
  return all;
}

std::optional<std::size_t> order_parts(ExposedFamily& family) {
  const bool is_histogram = family.family.kind == Kind::histogram;
  if (!is_histogram && family.family.kind != Kind::summary) return std::nullopt;
  auto places = places_of(family, is_histogram ? "le" : "quantile");
  if (!std::is_sorted(places.begin(), places.end())) {
    std::stable_sort(places.begin(), places.end());
    std::vector<ExposedSample> sorted;
    sorted.reserve(places.size());
    for (const auto& place : places) sorted.push_back(family.samples[place.index]);
    family.samples = std::move(sorted);
    for (std::size_t i = 0; i < places.size(); ++i) places[i].index = i;
  }
  if (!is_histogram) return std::nullopt;
  const auto found = misfit(places, family.samples);
  if (!found) return std::nullopt;
  return family.samples[*found].line;
}

std::optional<std::size_t> repeated_line(const ExposedFamily& family) {
  if (family.samples.size() < 2) return std::nullopt;
  std::set<std::string> seen;
  for (const auto& sample : family.samples) {
    if (!seen.insert(series_key(family, sample)).second) return sample.line;
  }
  return std::nullopt;
}

bool take_names(const Family& family, std::set<std::string>& taken) {
  const auto names = names_on_page(family);
  const auto is_taken = [&taken](const std::string& name) { return taken.contains(name); };
  if (std::any_of(names.begin(), names.end(), is_taken)) return false;
  taken.insert(names.begin(), names.end());
  return true;
}

}  // namespace metrics
