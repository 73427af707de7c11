#include "procfs/pressure.hpp"

#include "procfs/text.hpp"

namespace procfs {
namespace {

std::optional<std::uint64_t> total_of(std::string_view line) {
  constexpr std::string_view kKey = " total=";
  const auto at = line.rfind(kKey);
  std::uint64_t total = 0;
  if (at == std::string_view::npos || !to_number(line.substr(at + kKey.size()), total)) {
    return std::nullopt;
  }
  return total;
}

}  // namespace

metrics::Result<Pressure> parse_pressure(std::string_view text) {
  Pressure pressure;
  while (!text.empty()) {
    const auto line = take_line(text);
    const bool is_some = line.starts_with("some ");
    if (!is_some && !line.starts_with("full ")) continue;
    const auto total = total_of(line);
    if (!total) return malformed("pressure", line);
    (is_some ? pressure.some_microseconds : pressure.full_microseconds) = total;
  }
  if (!pressure.some_microseconds && !pressure.full_microseconds) {
    return malformed("pressure", "no some or full line");
  }
  return pressure;
}

}  // namespace procfs
