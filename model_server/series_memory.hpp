#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace model_server {

/// How far two forecasts of one value were off.
struct ForecastErrors {
  double model = 0;
  double persistence = 0;  ///< Of the forecast that nothing changes.
};

/// Keeps what was predicted for each series until its next input shows what came of it. One thread.
class SeriesMemory {
 public:
  /// The series that were asked for longest ago are forgotten over `capacity`.
  explicit SeriesMemory(std::size_t capacity) : capacity_(capacity) {}

  /// Takes the newest input of a series, of one value at least, and what was predicted for it. The
  /// errors of the prediction before, when this input is the one before moved on by one value:
  /// after a gap, and for an input that is sent again, there is nothing to compare.
  std::optional<ForecastErrors> predicted(std::string_view series, std::span<const double> input,
                                          double prediction);

  [[nodiscard]] std::size_t size() const { return by_age_.size(); }

 private:
  struct Entry {
    std::string series;
    std::vector<double> input;
    double prediction = 0;
  };
  using ByAge = std::list<Entry>;  // the newest in front

  std::size_t capacity_;
  ByAge by_age_;
  std::unordered_map<std::string_view, ByAge::iterator> by_name_;  // views of the entries' names
};

}  // namespace model_server
