#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model_server/document.hpp"

namespace model_server {

/// Reads nested JSON lists of numbers into one flat vector, and names the place of what it refuses.
/// For one value.
class NumberReader {
 public:
  /// `field` is the name of the outermost list.
  explicit NumberReader(std::string field) : field_(std::move(field)) {}

  /// The numbers of `value`, which must be nested exactly as `shape` says.
  Read<std::vector<double>> read(const boost::json::value& value,
                                 std::span<const std::size_t> shape);

 private:
  [[nodiscard]] Rejection refuse(Reason reason, std::string problem) const;
  std::optional<Rejection> add(const boost::json::value& value, std::span<const std::size_t> shape);
  std::optional<Rejection> add_number(const boost::json::value& value);

  std::string field_;
  std::vector<double> numbers_;
  std::vector<std::size_t> place_;  // the index in each list on the way
};

}  // namespace model_server
