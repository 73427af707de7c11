#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace metrics {

enum class Quotes : bool { keep, escape };

/// No byte of input becomes more than this many bytes of output.
inline constexpr std::size_t kMaxEscapedBytesPerByte = 3;

/// Writes `text` so that it can stand in the exposition formats whatever its bytes are, and returns
/// the end of what was written: `\` becomes `\\`, a newline `\n`, a quote `\"` where asked for.
/// Invalid UTF-8 and control characters other than tab and newline become U+FFFD, one per bad
/// byte, because a single such byte makes Prometheus refuse the whole page, and a terminal obey.
/// `out` must have room for kMaxEscapedBytesPerByte * text.size() bytes.
char* write_escaped(char* out, std::string_view text, Quotes quotes);

/// `text` as a scraper gets it back from write_escaped(). For who must keep label values apart: two
/// texts that are the same after repair would give a series twice, and the page would be refused.
std::string repaired(std::string_view text);

/// Whether the letter can stand in a metric's name, digits included: not at the start of one.
constexpr bool can_stand_in_a_name(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '_';
}

}  // namespace metrics
