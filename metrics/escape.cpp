#include "metrics/escape.hpp"

#include <algorithm>
#include <array>
#include <bit>
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

/// What the compiler turns into single instructions of any CPU of 64 bits, without a flag.
using Bytes [[gnu::vector_size(16)]] = signed char;
using Halves [[gnu::vector_size(16)]] = std::uint64_t;

/// Whether all are plain and none is a tab. Signed, so that those past ASCII are below the space.
bool all_plain(Bytes bytes) {
  const auto special = (bytes < ' ') | (bytes == 0x7F) | (bytes == '"') | (bytes == '\\');
  const auto halves = std::bit_cast<Halves>(special);
  return (halves[0] | halves[1]) == 0;
}

template <class Word>
Word load(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

template <class Word>
void store(char* to, Word word) {
  std::memcpy(to, &word, sizeof word);
}

/// Copies a text of one word to two, as two words that may overlap, if it is plain.
template <class Word>
bool copy_plain_pair(char* out, std::string_view text) {
  const auto last = text.size() - sizeof(Word);
  const auto head = load<Word>(text.data());
  const auto tail = load<Word>(text.data() + last);
  // Shorter words are filled up, as zeros beside them would not be plain.
  constexpr std::uint64_t kBlanks = 0x2020'2020'2020'2020U;
  constexpr auto kFill = sizeof(Word) < 8 ? kBlanks << (8 * (sizeof(Word) % 8)) : 0;
  if (!all_plain(std::bit_cast<Bytes>(Halves{head | kFill, tail | kFill}))) return false;
  store(out, head);
  store(out + last, tail);
  return true;
}

/// Copies words while all of their bytes are plain, the last one overlapping what is copied
/// already; returns how many bytes it copied. Nearly all of a page is plain throughout.
std::size_t copy_plain(char* out, std::string_view text) {
  const auto size = text.size();
  if (size >= sizeof(Bytes)) {
    const auto last = size - sizeof(Bytes);
    for (std::size_t at = 0;; at = std::min(at + sizeof(Bytes), last)) {
      const auto bytes = load<Bytes>(text.data() + at);
      if (!all_plain(bytes)) return at;
      store(out + at, bytes);
      if (at == last) return size;
    }
  }
  if (size >= 8) return copy_plain_pair<std::uint64_t>(out, text) ? size : 0;
  if (size >= 4) return copy_plain_pair<std::uint32_t>(out, text) ? size : 0;
  if (size >= 2) return copy_plain_pair<std::uint16_t>(out, text) ? size : 0;
  return 0;
}

char* append(char* out, std::string_view text) { return std::copy(text.begin(), text.end(), out); }

/// Not inlined, so that the usual way need not save the registers that this one uses.
[[gnu::noinline]] char* write_escaped_bytes(char* out, std::string_view text, Quotes quotes) {
  const auto* at = text.data();
  const auto* const end = text.data() + text.size();
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

}  // namespace

char* write_escaped(char* out, std::string_view text, Quotes quotes) {
  const auto copied = copy_plain(out, text);
  if (copied == text.size()) return out + copied;
  return write_escaped_bytes(out + copied, text.substr(copied), quotes);
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
