#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "metrics/sink.hpp"

namespace metrics {

/// The two text formats a scraper can ask for:
/// https://prometheus.io/docs/instrumenting/exposition_formats and the OpenMetrics 1.0.0
/// specification.
enum class TextFormat : std::uint8_t { prometheus_0_0_4, openmetrics_1_0_0 };

/// Every name that a family has on a page of either format: its own first, and those of its
/// samples.
std::vector<std::string> names_on_page(const Family& family);

/// Writes a page. Copyable, so that a page can be finished early while its original goes on.
///
/// A family that shares one of its names_on_page() with a family before is refused together with
/// its samples: a page with a name twice is refused whole by Prometheus or by promtool. Numbers
/// have the fewest digits that read back as the same double; bucket bounds always have a fraction
/// or exponent ("1.0"), as Prometheus 3 spells them.
class TextEncoder final : public Sink {
 public:
  explicit TextEncoder(TextFormat format) : format_(format) {}

  /// The page so far.
  [[nodiscard]] std::string_view text() const { return {buffer_.data(), used_}; }
  /// Takes back what was written after text() was `size` bytes long. Its family names stay used.
  void truncate(std::size_t size) { used_ = size; }
  /// Ends the page; nothing may be added afterwards.
  void finish();
  /// Starts a new page in the memory of the last one.
  void restart(TextFormat format);

  [[nodiscard]] TextFormat format() const { return format_; }
  /// Families refused on this page because a name of theirs was already there.
  [[nodiscard]] const std::vector<std::string>& refused() const { return refused_; }

 private:
  /// The lines that announce a family. Kept from page to page, as they hardly ever change and are
  /// half of a page.
  struct Announced {
    std::string name = {};
    std::uint64_t page = 0;    // the last one that the name was on
    std::size_t follower = 0;  // the family after it, there
    std::optional<Kind> kind = {};
    std::vector<std::size_t> others = {};  // its other names, when it is of that kind
    TextFormat format = TextFormat::prometheus_0_0_4;
    std::string help = {};
    std::string text = {};
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  void on_family(const Family& family) override;
  void on_sample(Labels labels, double value) override;
  void on_histogram(Labels labels, const Histogram& histogram) override;
  void on_part(std::string_view suffix, Labels labels, double value) override;

  std::size_t place_of(std::string_view name);
  void go_to(std::string_view name);
  bool is_taken(const Family& family);
  void forget_families();

  char* reserve(std::size_t bytes) {
    if (buffer_.size() - used_ < bytes) grow(bytes);
    return buffer_.data() + used_;
  }
  void grow(std::size_t bytes);
  void written_to(const char* end) { used_ = static_cast<std::size_t>(end - buffer_.data()); }

  TextFormat format_;
  std::string buffer_;  // the page is its first used_ bytes
  std::size_t used_ = 0;
  std::string_view name_;  // of the open family, as its samples are to be called
  bool refusing_ = false;
  std::vector<Announced> families_ = std::vector<Announced>(1);  // the first is before all others
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> index_;  // of a name
  std::size_t family_ = 0;  // the last one announced
  std::uint64_t page_ = 1;
  std::size_t name_count_ = 0;  // on this page
  std::vector<std::string> refused_;
};

}  // namespace metrics
