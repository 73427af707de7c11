// What the samples of a family may be, by its type; for the parser of pages.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/exposition_parser.hpp"
#include "metrics/sink.hpp"
#include "metrics/text_encoder.hpp"

namespace metrics {

enum class ExposedType : std::uint8_t {
  untyped,
  gauge,
  counter,
  histogram,
  summary,
  info,
  stateset,
  strange,  ///< A gaugehistogram, or a word that is no type: cannot be passed on.
};

ExposedType exposed_type(std::string_view word, TextFormat format);

/// How it is passed on.
Kind kind_of(ExposedType type);

/// Whether a sample may be called like its family and `suffix`. Of a strange type any suffix that
/// some type has will do, so that its samples go with it.
bool is_sample_suffix(ExposedType type, std::string_view suffix, TextFormat format);

/// What keeps a sample from being one of its family. Spells its bound as write_bound() does.
std::optional<Refusal> check_sample(ExposedType type, std::string_view suffix, double value,
                                    std::vector<Label>& labels, std::deque<std::string>& storage);

/// What tells each series of the family from the others, whatever the order of its labels; those
/// without a value do not.
std::set<std::string> series_of(const ExposedFamily& family);

/// Puts the samples of each histogram, or summary, of the family together: buckets or quantiles by
/// their bounds, then the sum, then the count. The line of one whose buckets do not add up: none
/// for +Inf, one that is less than that before, or a count of another value than that of +Inf.
std::optional<std::size_t> order_parts(ExposedFamily& family);

/// The line of a sample whose series is there before.
std::optional<std::size_t> repeated_line(const ExposedFamily& family);

/// Adds the family's names_on_page() to `taken`; false, and adds none, when one is there before. In
/// OpenMetrics the info `a` and the gauge `a_info` are two families, but not on our page.
bool take_names(const Family& family, std::set<std::string>& taken);

}  // namespace metrics
