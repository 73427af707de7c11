#include "model_server/numbers.hpp"

#include <cmath>
#include <limits>
#include <utility>

namespace model_server {

namespace json = boost::json;

Rejection NumberReader::refuse(Reason reason, std::string problem) const {
  auto place = field_;
  for (const auto index : place_) place.append("[").append(std::to_string(index)).append("]");
  return reject(reason, place, std::move(problem));
}

std::optional<Rejection> NumberReader::add_number(const json::value& value) {
  if (value.is_array()) return refuse(Reason::shape, "is a list where a number is due");
  if (!value.is_number()) return refuse(Reason::type, "is not a number");
  const auto number = value.to_number<double>();
  // Larger ones are infinite to the model, and 1e999 is so already.
  if (!(std::abs(number) <= double{std::numeric_limits<float>::max()})) {
    return refuse(Reason::nonfinite, "is not finite as a 32-bit float");
  }
  numbers_.push_back(number);
  return std::nullopt;
}

Read<std::vector<double>> NumberReader::read(const json::value& value,
                                             std::span<const std::size_t> shape) {
  if (auto rejection = add(value, shape)) return *std::move(rejection);
  return std::move(numbers_);
}

std::optional<Rejection> NumberReader::add(const json::value& value,
                                           std::span<const std::size_t> shape) {
  if (shape.empty()) return add_number(value);
  if (value.is_number()) return refuse(Reason::shape, "is a number where a list is due");
  const auto* list = value.if_array();
  if (list == nullptr) return refuse(Reason::type, "is not a list");
  if (list->size() != shape.front()) {
    return refuse(Reason::shape, "has " + std::to_string(list->size()) + " elements in place of " +
                                     std::to_string(shape.front()));
  }
  place_.push_back(0);
  for (const auto& element : *list) {
    if (auto rejection = add(element, shape.subspan(1))) return rejection;
    ++place_.back();
  }
  place_.pop_back();
  return std::nullopt;
}

}  // namespace model_server
