// The vocabulary every collector speaks and every encoder understands.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace metrics {

enum class Kind : std::uint8_t { gauge, counter, histogram, summary, unknown };

/// What all samples of one name share. Collectors declare them constexpr.
struct Family {
  std::string_view name;  ///< The name as exposed; a counter's ends in `_total`.
  std::string_view help;  ///< One sentence that names the kernel source.
  Kind kind = Kind::gauge;
};

struct Label {
  std::string_view name;
  std::string_view value;  ///< Any bytes: the encoder escapes and repairs them.
};
using Labels = std::span<const Label>;

struct Bucket {
  double upper_bound;              ///< Inclusive (`le`).
  std::uint64_t cumulative_count;  ///< Observations at or below upper_bound.
};

/// A reading of a histogram. The buckets are sorted; the last one's upper bound is +Inf and its
/// count is the number of all observations.
struct Histogram {
  std::span<const Bucket> buckets;
  double sum;
};

/// Receives metrics family by family: family(), then all its samples, then the next family().
/// Keeps no view beyond the call that passed it, `Family::name` and `help` apart, which must stay
/// valid until the next family().
class Sink {
 public:
  void family(const Family& family) { on_family(family); }

  void sample(Labels labels, double value) { on_sample(labels, value); }
  void sample(std::initializer_list<Label> labels, double value) {
    on_sample({labels.begin(), labels.size()}, value);
  }
  void histogram(Labels labels, const Histogram& histogram) { on_histogram(labels, histogram); }

  /// A sample whose name is the family's and `suffix`, for histograms and summaries that are passed
  /// on as somebody else wrote them: "_bucket" with its `le`, "_sum", "_count".
  void part(std::string_view suffix, Labels labels, double value) {
    on_part(suffix, labels, value);
  }

  /// A family of one sample without labels.
  void single(const Family& family, double value) {
    on_family(family);
    on_sample({}, value);
  }

 protected:
  Sink() = default;
  Sink(const Sink&) = default;
  Sink& operator=(const Sink&) = default;
  ~Sink() = default;

 private:
  virtual void on_family(const Family& family) = 0;
  virtual void on_sample(Labels labels, double value) = 0;
  virtual void on_histogram(Labels labels, const Histogram& histogram) = 0;
  virtual void on_part(std::string_view suffix, Labels labels, double value) = 0;
};

}  // namespace metrics
