#include "metrics/escape.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace metrics {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// The bytes that stand for themselves in a quoted value: printable ASCII but for `"` and `\\`, and
/// the tab.
constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t byte = 0x20; byte < 0x7F; ++byte) plain[byte] = byte != '"' && byte != '\\';
  plain['\t'] = true;
  return plain;
}();

bool is_plain(char c) { return kPlain[static_cast<unsigned char>(c)]; }

bool is_continuation(unsigned char byte) { return (byte & 0xC0U) == 0x80U; }

/// Length of the well-formed sequence that starts `text` (Unicode 15, table 3-7), or 0. The C1
/// control characters U+0080 to U+009F count as malformed.
std::size_t sequence_length(std::string_view text) {
  struct Row {
    unsigned char first_low, first_high, second_low, second_high;
    std::size_t length;
  };
  static constexpr Row kRows[] = {
      {0xC2, 0xC2, 0xA0, 0xBF, 2}, {0xC3, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
      {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
      {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
  };
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (const auto& row : kRows) {
    if (byte(0) < row.first_low || byte(0) > row.first_high) continue;
    if (text.size() < row.length) return 0;
    if (byte(1) < row.second_low || byte(1) > row.second_high) return 0;
    for (std::size_t i = 2; i < row.length; ++i) {
      if (!is_continuation(byte(i))) return 0;
    }
    return row.length;
  }
  return 0;
}

/// Copies eight bytes at a time while all of them are plain; returns how many it copied. A page is
/// mostly HELP, which is plain throughout.
std::size_t copy_plain_words(char* out, std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kTops = 0x8080808080808080U;
  // The top bit of each byte that is below `limit`, which is at most 0x80; false alarms only above
  // a true one (Bit Twiddling Hacks, "Determine if a word has a byte less than n").
  const auto below = [](std::uint64_t word, unsigned char limit) {
    return (word - kOnes * limit) & ~word & kTops;
  };
  const auto equal = [&](std::uint64_t word, unsigned char byte) {
    return below(word ^ (kOnes * byte), 1);
  };
  std::size_t at = 0;
  for (std::uint64_t word = 0; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    const auto special = (word & kTops) | below(word, 0x20) | equal(word, 0x7F) | equal(word, '"') |
                         equal(word, '\\');
    if (special != 0) break;
    std::memcpy(out + at, &word, sizeof word);
  }
  return at;
}

char* append(char* out, std::string_view text) { return std::copy(text.begin(), text.end(), out); }

}  // namespace

char* write_escaped(char* out, std::string_view text, Quotes quotes) {
  const auto copied = copy_plain_words(out, text);
  const auto* at = text.data() + copied;
  const auto* const end = text.data() + text.size();
  out += copied;
  while (at != end) {
    const char c = *at;
    if (is_plain(c)) {
      *out++ = c;
      ++at;
      continue;
    }
    if (c == '\n') {
      out = append(out, "\\n");
      ++at;
    } else if (c == '\\' || c == '"') {
      if (c == '\\' || quotes == Quotes::escape) *out++ = '\\';
      *out++ = c;
      ++at;
    } else {
      const std::string_view rest(at, static_cast<std::size_t>(end - at));
      const auto length = sequence_length(rest);
      out = append(out, length > 0 ? rest.substr(0, length) : kReplacement);
      at += std::max<std::size_t>(length, 1);
    }
  }
  return out;
}

std::string repaired(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const char c = text.front();
    const bool stays = is_plain(c) || c == '\n' || c == '"' || c == '\\';
    const auto length = stays ? 1 : sequence_length(text);
    result += length > 0 ? text.substr(0, length) : kReplacement;
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

}  // namespace metrics
