// What every parser needs: lines, blank-separated fields, whole numbers, sizes.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "metrics/result.hpp"

namespace procfs {

/// Takes the next line off `text`, without its newline. Empty text gives "".
inline std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

/// Takes the next field off `line`; "" once the line is used up.
inline std::string_view take_field(std::string_view& line) {
  // By hand: find_first_of() calls memchr() for each character, which is felt in every parser.
  // Most letters need the first comparison only.
  const auto is_blank = [](char c) { return c <= ' ' && (c == ' ' || c == '\t'); };
  const auto* begin = line.data();
  const auto* const end = begin + line.size();
  while (begin != end && is_blank(*begin)) ++begin;
  const auto* stop = begin;
  while (stop != end && !is_blank(*stop)) ++stop;
  line.remove_prefix(static_cast<std::size_t>(stop - line.data()));
  return {begin, static_cast<std::size_t>(stop - begin)};
}

/// True when all of `text` is one number that fits `out`.
template <class T>
requires std::integral<T> || std::floating_point<T>
[[nodiscard]] bool to_number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

/// Takes the next field off `line`; true when all of it is one whole number that fits `out`. As
/// to_number(take_field(line), out), in one walk over the digits: most of what the kernel writes is
/// numbers.
template <std::unsigned_integral T>
[[nodiscard]] inline bool take_number(std::string_view& line, T& out) {
  // So many digits fit for sure; longer fields, which are rare, are looked at twice.
  constexpr auto kSafeDigits = std::numeric_limits<T>::digits10;
  const auto* at = line.data();
  const auto* const end = at + line.size();
  while (at != end && (*at == ' ' || *at == '\t')) ++at;
  const auto* const begin = at;
  T value = 0;
  for (; at != end && *at >= '0' && *at <= '9'; ++at) {
    value = static_cast<T>(value * 10 + static_cast<T>(*at - '0'));
  }
  const auto digits = at - begin;
  if (digits == 0 || digits > kSafeDigits || (at != end && *at != ' ' && *at != '\t')) {
    return to_number(take_field(line), out);
  }
  line.remove_prefix(static_cast<std::size_t>(at - line.data()));
  out = value;
  return true;
}

/// True when `text` begins with a number of kB, as in "12 kB", of 1024 bytes each, that fit.
[[nodiscard]] inline bool to_bytes(std::string_view text, std::optional<std::uint64_t>& bytes) {
  constexpr std::uint64_t kBytesPerKilobyte = 1024;
  std::uint64_t kilobytes = 0;
  if (!take_number(text, kilobytes) || take_field(text) != "kB") return false;
  if (kilobytes > std::numeric_limits<std::uint64_t>::max() / kBytesPerKilobyte) return false;
  bytes = kilobytes * kBytesPerKilobyte;
  return true;
}

/// The error for a line that is not what `file` promises, with the start of that line.
inline metrics::Error malformed(std::string_view file, std::string_view line) {
  constexpr std::size_t kShownBytes = 80;
  return {metrics::Errc::malformed,
          std::string(file) + ": cannot read '" + std::string(line.substr(0, kShownBytes)) + "'"};
}

}  // namespace procfs
