#include "exporter/duration.hpp"

#include <array>
#include <charconv>
#include <cstdint>

namespace exporter {

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  using std::chrono::milliseconds;
  struct Unit {
    std::string_view name;
    std::int64_t milliseconds;
  };
  static constexpr std::array kUnits = {
      Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
      Unit{"s", 1000},       Unit{"ms", 1},
  };
  constexpr std::int64_t kMaxMilliseconds = 366 * kUnits[0].milliseconds;

  std::int64_t total = 0;
  auto unit = kUnits.begin();
  while (!text.empty()) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const auto name = text.substr(0, text.find_first_of("0123456789"));
    while (unit != kUnits.end() && unit->name != name) ++unit;
    if (unit == kUnits.end()) return std::nullopt;
    total += number * unit->milliseconds;
    if (total > kMaxMilliseconds) return std::nullopt;
    text.remove_prefix(name.size());
    ++unit;
  }
  if (total == 0) return std::nullopt;
  return milliseconds(total);
}

}  // namespace exporter
