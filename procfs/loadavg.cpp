#include "procfs/loadavg.hpp"

#include <array>
#include <cmath>

#include "procfs/text.hpp"

namespace procfs {

metrics::Result<LoadAvg> parse_loadavg(std::string_view text) {
  static constexpr std::array kColumns = {&LoadAvg::one_minute, &LoadAvg::five_minutes,
                                          &LoadAvg::fifteen_minutes};
  const auto line = take_line(text);
  auto rest = line;
  LoadAvg load;
  for (const auto column : kColumns) {
    // from_chars reads "inf", "nan" and a sign as well.
    const bool is_number = to_number(take_field(rest), load.*column);
    if (!is_number || !std::isfinite(load.*column) || std::signbit(load.*column)) {
      return malformed("loadavg", line);
    }
  }
  return load;
}

}  // namespace procfs
