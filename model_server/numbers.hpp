#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model_server/inference_request.hpp"

namespace model_server {

/// Reads nested JSON lists of numbers into one flat vector, and names the place of what it refuses.
class NumberReader {
 public:
  /// `field` is the name of the outermost list.
  explicit NumberReader(std::string field) : field_(std::move(field)) {}

  /// Appends the numbers of `value`, which must be nested exactly as `shape` says, to `numbers`;
  /// or says what is wrong.
  std::optional<Rejection> read(const boost::json::value& value, std::span<const std::size_t> shape,
                                std::vector<double>& numbers);

 private:
  [[nodiscard]] Rejection reject(Reason reason, std::string problem) const;
  std::optional<Rejection> read_number(const boost::json::value& value,
                                       std::vector<double>& numbers);

  std::string field_;
  std::vector<std::size_t> place_;  // the index in each list on the way
};

}  // namespace model_server
