// One line of a page in the text format 0.0.4 or OpenMetrics 1.0.0.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/exposition_parser.hpp"
#include "metrics/sink.hpp"
#include "metrics/text_encoder.hpp"

namespace metrics {

struct ExpositionLine {
  enum class What : std::uint8_t { nothing, help, type, unit, end, sample };

  What what = What::nothing;
  std::string_view name;      ///< Of the family, or of the sample as it is written.
  std::string_view text;      ///< What HELP, TYPE or UNIT say.
  std::vector<Label> labels;  ///< Unescaped, in the order of the line.
  double value = 0;
  std::optional<Refusal> flaw;  ///< Of a sample that is of the format, and yet cannot be used.
};

/// Takes lines apart. What has to be unescaped goes to `storage`; the rest of a line are views.
class ExpositionLineReader {
 public:
  ExpositionLineReader(TextFormat format, std::size_t max_labels, std::deque<std::string>& storage)
      : is_openmetrics_(format == TextFormat::openmetrics_1_0_0),
        max_labels_(max_labels),
        storage_(storage) {}

  /// Reads `line`, which is without its newline, into `parsed`, whose memory is used again. Says
  /// why the whole page cannot be trusted, if it cannot: `syntax` or `limit`.
  std::optional<Refusal> read(std::string_view line, ExpositionLine& parsed);

 private:
  bool skip_gap();
  bool take_gap();
  bool take(char expected);
  std::string_view take_word();
  std::string_view take_name();
  std::string_view take_label_name();
  bool read_comment(ExpositionLine& parsed);
  std::optional<Refusal> read_sample(ExpositionLine& parsed);
  std::optional<Refusal> read_labels(ExpositionLine& parsed);
  bool read_label(ExpositionLine& parsed);
  bool read_time(ExpositionLine& parsed);
  bool read_exemplar();
  std::optional<std::string_view> take_quoted();
  std::optional<std::string_view> unescaped(std::string_view text, bool has_quotes);

  bool is_openmetrics_;
  std::size_t max_labels_;
  std::deque<std::string>& storage_;
  std::string_view rest_;  // of the line
};

/// A number as both formats spell it, with NaN and the infinities in any case. Nothing for other
/// text, and for what no double can hold.
std::optional<double> parse_exposed_number(std::string_view text);

}  // namespace metrics
