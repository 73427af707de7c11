#include "model_server/client/series.hpp"

#include <cstddef>
#include <optional>

#include "service/number.hpp"

namespace model_client {
namespace {

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const auto end = line.find_first_of(",;");
    fields.push_back(without_blanks(line.substr(0, end)));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + 1);
  }
}

std::optional<std::size_t> index_of(const std::vector<std::string_view>& fields,
                                    std::string_view name) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i] == name) return i;
  }
  return std::nullopt;
}

SeriesError bad_line(std::size_t number, const std::string& what) {
  return {"line " + std::to_string(number) + ": " + what};
}

}  // namespace

std::variant<std::vector<double>, SeriesError> parse_series(std::string_view csv,
                                                            std::string_view column) {
  std::vector<double> values;
  std::optional<std::size_t> index;
  for (std::size_t number = 1; !csv.empty(); ++number) {
    const auto end = csv.find('\n');
    const auto line = without_blanks(csv.substr(0, end));
    csv.remove_prefix(end == std::string_view::npos ? csv.size() : end + 1);
    if (line.empty()) continue;
    const auto fields = fields_of(line);
    if (!index) {
      index = column.empty() ? fields.size() - 1 : index_of(fields, column);
      if (!index) return bad_line(number, "no column named " + std::string(column));
      const bool is_header = !service::to_finite(fields[*index]);
      if (is_header) continue;
    }
    if (*index >= fields.size()) return bad_line(number, "too few columns");
    const auto value = service::to_finite(fields[*index]);
    if (!value) {
      return bad_line(number, "'" + std::string(fields[*index]) + "' is no finite number");
    }
    values.push_back(*value);
  }
  return values;
}

}  // namespace model_client
