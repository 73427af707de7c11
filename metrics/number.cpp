#include "metrics/number.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace metrics {
namespace {

/// The eight digits of a number below 10^8, each in a byte, the first in the lowest. Four, two and
/// one digits are split off in all lanes of the word at once; multiplying by the inverse is exact
/// for numbers this small.
inline std::uint64_t eight_digits(std::uint64_t value) {
  const auto fours = value / 10'000 | value % 10'000 << 32U;
  const auto hundreds = (fours * 10'486 >> 20U) & 0x0000'007F'0000'007FU;
  const auto pairs = hundreds | (fours - 100 * hundreds) << 16U;
  const auto tens = (pairs * 103 >> 10U) & 0x000F'000F'000F'000FU;
  return tens | (pairs - 10 * tens) << 8U;
}

/// Writes eight bytes, whatever of them is needed.
void put_digits(char* out, std::uint64_t digits) {
  static_assert(std::endian::native == std::endian::little);
  digits |= 0x3030'3030'3030'3030U;
  std::memcpy(out, &digits, sizeof digits);
}

/// For numbers below 10^16.
char* write_integer(char* out, std::uint64_t value) {
  constexpr std::uint64_t kEightDigits = 100'000'000;
  const bool is_long = value >= kEightDigits;
  const auto head = eight_digits(is_long ? value / kEightDigits : value);
  const auto leading_zeros = std::countr_zero(head | std::uint64_t{1} << 56U) / 8;
  put_digits(out, head >> (8 * leading_zeros));
  out += 8 - leading_zeros;
  if (!is_long) return out;
  put_digits(out, eight_digits(value % kEightDigits));
  return out + 8;
}

/// Nearly all of the kernel's numbers are counts, or ticks, milliseconds or microseconds turned
/// into seconds. Those with at most six decimals are written as integers, several times faster than
/// the general way; where dividing gives the same double back, this is its shortest text too.
/// Null where it does not. For numbers below 10^9 that are not integers.
char* write_six_decimals(char* out, double value) {
  constexpr double kScale = 1e6;
  constexpr std::uint64_t kUnit = 1'000'000;
  // Rounds, as such a sum has no place for a fraction; nearbyint() is a call without SSE 4.1.
  constexpr double kRound = 0x1p52;
  const double magnitude = std::abs(value);
  const double scaled = magnitude * kScale + kRound - kRound;
  if (scaled / kScale != magnitude) return nullptr;
  const auto total = static_cast<std::uint64_t>(static_cast<std::int64_t>(scaled));
  if (value < 0) *out++ = '-';
  out = write_integer(out, total / kUnit);
  *out++ = '.';
  const auto decimals = eight_digits(total % kUnit * 100);
  put_digits(out, decimals);
  return out + 8 - std::countl_zero(decimals) / 8;
}

bool is_integer(double value) {
  // Doubles hold every integer up to 2^53, and no fractions from there on.
  constexpr double kExactIntegers = 9007199254740992.0;
  return std::abs(value) < kExactIntegers &&
         static_cast<double>(static_cast<std::int64_t>(value)) == value;
}

char* append_text(char* out, std::string_view text) {
  return std::copy(text.begin(), text.end(), out);
}

}  // namespace

char* write_number(char* out, double value) {
  constexpr double kMaxDecimal = 1e9;  // a product below 2^53 loses no digit that counts
  if (is_integer(value)) {
    const auto integer = static_cast<std::int64_t>(value);
    if (std::signbit(value)) *out++ = '-';
    return write_integer(out, static_cast<std::uint64_t>(std::abs(integer)));
  }
  if (std::abs(value) < kMaxDecimal) {
    if (auto* end = write_six_decimals(out, value)) return end;
  }
  if (std::isnan(value)) return append_text(out, "NaN");
  if (std::isinf(value)) return append_text(out, value > 0 ? "+Inf" : "-Inf");
  return std::to_chars(out, out + kMaxNumberBytes, value).ptr;
}

char* write_bound(char* out, double bound) {
  const double magnitude = std::abs(bound);
  if (!std::isfinite(bound)) return write_number(out, bound);
  auto format = std::chars_format::fixed;
  if (magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e6)) {
    format = std::chars_format::scientific;
  } else if (is_integer(bound)) {
    return append_text(write_number(out, bound), ".0");
  } else if (auto* end = write_six_decimals(out, bound)) {
    return end;
  }
  return std::to_chars(out, out + kMaxNumberBytes, bound, format).ptr;
}

}  // namespace metrics
