#include "model_server/series_memory.hpp"

#include <algorithm>

namespace model_server {
namespace {

/// An input of one value follows on any other, and a constant one on itself.
bool follows(std::span<const double> next, std::span<const double> before) {
  return std::equal(next.begin(), next.end() - 1, before.begin() + 1, before.end());
}

}  // namespace

std::optional<ForecastErrors> SeriesMemory::predicted(std::string_view series,
                                                      std::span<const double> input,
                                                      double prediction) {
  const auto found = by_name_.find(series);
  if (found == by_name_.end()) {
    by_age_.push_front({std::string(series), {input.begin(), input.end()}, prediction});
    by_name_.emplace(by_age_.front().series, by_age_.begin());
    if (by_age_.size() > capacity_) {
      by_name_.erase(by_age_.back().series);
      by_age_.pop_back();
    }
    return std::nullopt;
  }
  auto& entry = *found->second;
  std::optional<ForecastErrors> errors;
  if (follows(input, entry.input)) {
    errors = {.model = entry.prediction - input.back(),
              .persistence = entry.input.back() - input.back()};
  }
  entry.input.assign(input.begin(), input.end());
  entry.prediction = prediction;
  by_age_.splice(by_age_.begin(), by_age_, found->second);
  return errors;
}

}  // namespace model_server
