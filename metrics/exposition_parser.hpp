// Reads the pages of others: the text format 0.0.4 and OpenMetrics 1.0.0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/sink.hpp"
#include "metrics/text_encoder.hpp"

namespace metrics {

/// Over one of these a page is refused whole: a part of a page would be a lie.
struct ExpositionLimits {
  std::size_t page_bytes = 4U << 20U;
  std::size_t line_bytes = 16384;
  std::size_t families = 2000;
  std::size_t samples = 50000;
  std::size_t labels = 64;          ///< Of one sample.
  std::size_t all_labels = 131072;  ///< Of all samples: each takes twice its shortest text.
};

/// Why something of a page was refused.
enum class Refusal : std::uint8_t {
  // the whole page
  syntax,     ///< A line is not of the format, or what it says cannot be.
  truncated,  ///< The page does not end as the format wants.
  limit,      ///< See ExpositionLimits.
  // a family
  type,       ///< Its TYPE is unknown or late, or a sample does not fit it.
  label,      ///< A label's name is reserved or there twice, or a bound is no number.
  encoding,   ///< A label's value holds what no page may show.
  value,      ///< A count is negative or not a number, or the buckets do not add up.
  timestamp,  ///< A sample of another time cannot be passed on as one of now.
  duplicate,  ///< A series, HELP or TYPE is there twice, or a name is another family's.
};

/// The refusal as the value of a label.
std::string_view name_of(Refusal refusal);

struct Refused {
  Refusal why = Refusal::syntax;
  std::size_t line = 0;     ///< Of the page, from 1.
  std::string_view family;  ///< "" when the page was refused.
};

struct ExposedSample {
  std::string_view suffix;  ///< Of the name behind the family's: "", "_bucket", "_sum" or "_count".
  std::size_t first_label = 0;
  std::size_t label_count = 0;
  double value = 0;
  std::size_t line = 0;
};

/// A family as a page said it. A counter's name is that of its samples in both formats.
struct ExposedFamily {
  Family family;  ///< `help` is "" where the page had none.
  std::vector<ExposedSample> samples;
  std::vector<Label> labels;  ///< Of all samples, one behind the other.

  [[nodiscard]] Labels labels_of(const ExposedSample& sample) const {
    return std::span(labels).subspan(sample.first_label, sample.label_count);
  }
};

/// What was read of a page. Holds views of its text, which must outlive it.
struct Exposition {
  Exposition() = default;
  Exposition(Exposition&&) = default;  // no copies: there are views of `storage`
  Exposition& operator=(Exposition&&) = default;

  std::vector<ExposedFamily> families;  ///< None of a page that was refused; in its order.
  std::vector<Refused> refused;         ///< By line; a family is there at most once.
  bool is_refused = false;              ///< As a whole: the last of `refused` says why.
  std::deque<std::string> storage;      ///< What is not in the text as it is.
};

/// Reads `text`, any bytes, in one walk. Of OpenMetrics an info or a stateset becomes a gauge;
/// units, exemplars and times of creation are left out, and a gaugehistogram is refused (`type`).
/// Bounds and quantiles are spelled as write_bound() does. In 0.0.4 the lines of a family may be
/// apart, as Prometheus does not mind; families without samples are left out.
Exposition parse_exposition(std::string_view text, TextFormat format,
                            const ExpositionLimits& limits = {});

/// The format that a Content-Type names, with or without a version. Nothing for any other, such as
/// that of HTML.
std::optional<TextFormat> text_format_of(std::string_view content_type);

}  // namespace metrics
