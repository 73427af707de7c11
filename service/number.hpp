// Numbers as text. No locale changes it.
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace service {

/// Nothing unless all of the text is one number, and a finite one.
inline std::optional<double> to_finite(std::string_view text) {
  double value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// The shortest text that reads back as the same number of that type.
template <std::floating_point Number>
std::string shortest(Number value) {
  std::array<char, 32> digits{};
  auto* end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

}  // namespace service
