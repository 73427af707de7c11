#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace model_client {

struct SeriesError {
  std::string detail;  ///< For a person; names the line where there is one.
};

/// The numbers of one column of a CSV text, in order. Fields are separated by commas or semicolons
/// and may be blank-padded; quotes and quoted separators are not known. A first line whose chosen
/// field is no number is the header. `column` is a name of the header, or "" for the last column.
/// Empty lines are passed over; every other line must have a finite number there. Pure.
std::variant<std::vector<double>, SeriesError> parse_series(std::string_view csv,
                                                            std::string_view column);

}  // namespace model_client
