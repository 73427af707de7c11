#include "metrics/escape.hpp"

#include <array>
#include <bit>
#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "metrics/text_encoder.hpp"

using metrics::Quotes;
using metrics::repaired;

namespace {

constexpr std::string_view kBad = "\xEF\xBF\xBD";  // U+FFFD

/// Exactly as much room as the contract asks for, so that one byte more is a finding of ASan.
std::string escaped(std::string_view text, Quotes quotes = Quotes::escape) {
  const auto room = metrics::kMaxEscapedBytesPerByte * text.size();
  const auto out = std::make_unique<char[]>(room);
  auto* const end = metrics::write_escaped(out.get(), text, quotes);
  return {out.get(), end};
}

/// What stands between the quotes of a label value, read as strictly as the formats allow;
/// nothing where it is not one value on one line.
std::optional<std::string> read_back(std::string_view text) {
  std::string value;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"' || text[at] == '\n') return std::nullopt;
    if (text[at] != '\\') {
      value += text[at];
      continue;
    }
    if (++at == text.size()) return std::nullopt;
    if (text[at] != '\\' && text[at] != '"' && text[at] != 'n') return std::nullopt;
    value += text[at] == 'n' ? '\n' : text[at];
  }
  return value;
}

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t length = 0;  // 0: not the shortest form of a Unicode scalar value
};

/// A second reading of RFC 3629, by arithmetic where the code under test has a table.
CodePoint decode(std::string_view text) {
  const auto first = static_cast<std::uint8_t>(text[0]);
  const auto ones = static_cast<std::size_t>(std::countl_one(first));
  if (ones == 0) return {first, 1};
  if (ones == 1 || ones > 4 || text.size() < ones) return {};
  auto value = first & (0x7FU >> ones);
  for (const char next : text.substr(1, ones - 1)) {
    const auto byte = static_cast<std::uint8_t>(next);
    if (std::countl_one(byte) != 1) return {};
    value = value << 6U | (byte & 0x3FU);
  }
  static constexpr std::array<std::uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < kSmallest.at(ones) || value > 0x10FFFF || is_surrogate) return {};
  return {value, ones};
}

bool is_control(std::uint32_t code_point) {
  return (code_point < 0x20 && code_point != '\t' && code_point != '\n') ||
         (code_point >= 0x7F && code_point <= 0x9F);
}

/// What must be read back of `text`.
std::string expected_repair(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto [value, length] = decode(text);
    const bool is_bad = length == 0 || is_control(value);
    out += is_bad ? kBad : text.substr(0, length);
    text.remove_prefix(is_bad ? 1 : length);
  }
  return out;
}

/// What `text` must be written as, a byte at a time.
std::string expected_escape(std::string_view text, Quotes quotes) {
  std::string out;
  for (const char c : expected_repair(text)) {
    if (c == '\\' || (c == '"' && quotes == Quotes::escape)) out += '\\';
    out += c == '\n' ? "\\n" : std::string(1, c);
  }
  return out;
}

/// The label value of the sample line that an encoder makes of `value`, as read back from it.
std::optional<std::string> through_a_page(std::string_view value) {
  constexpr std::string_view kHead = "x{l=\"";
  constexpr std::string_view kTail = "\"} 1\n";
  metrics::TextEncoder encoder(metrics::TextFormat::prometheus_0_0_4);
  encoder.family({"x", "h"});
  const auto start = encoder.text().size();
  encoder.sample({{"l", value}}, 1);
  auto line = encoder.text().substr(start);
  if (!line.starts_with(kHead) || !line.ends_with(kTail)) return std::nullopt;
  line.remove_prefix(kHead.size());
  line.remove_suffix(kTail.size());
  return read_back(line);
}

/// The bytes at which the rules of UTF-8 and of escaping change.
constexpr std::string_view kBoundaries(
    "\x00\t\n\x1F\"A\\\x7F\x80\x8F\x90\x9F\xA0\xBF\xC0\xC1\xC2\xDF\xE0\xED\xEF\xF0\xF4\xF5\xFF",
    25);

}  // namespace

TEST_CASE("write_escaped leaves plain and well-formed text alone") {
  const auto [what, text] = GENERATE(table<const char*, std::string>({
      {"nothing", ""},
      {"ASCII", " !#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~"},
      {"tab", "a\tb"},
      {"two bytes, first and last", "\xC2\xA0 \xDF\xBF"},
      {"three bytes, first and last", "\xE0\xA0\x80 \xEF\xBF\xBF"},
      {"beside the surrogates", "\xED\x9F\xBF \xEE\x80\x80"},
      {"four bytes, first and last", "\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF"},
      {"a replacement character", "\xEF\xBF\xBD"},
  }));
  INFO(what);
  CHECK(escaped(text) == text);
}

TEST_CASE("write_escaped escapes what would end a value or a line") {
  CHECK(escaped("a\\b") == "a\\\\b");
  CHECK(escaped("a\nb") == "a\\nb");
  CHECK(escaped("a\"b") == "a\\\"b");
  CHECK(escaped("\"} 1\nevil 2\n") == "\\\"} 1\\nevil 2\\n");
  CHECK(escaped("ends in \\") == "ends in \\\\");
}

TEST_CASE("write_escaped keeps quotes where they are asked to be kept, nothing else") {
  CHECK(escaped("\"a\\b\nc\"\x01", Quotes::keep) == "\"a\\\\b\\nc\"\xEF\xBF\xBD");
}

TEST_CASE("write_escaped replaces each byte that is not UTF-8 or controls a terminal") {
  const auto [what, text, bad] = GENERATE(table<const char*, std::string, int>({
      {"NUL", std::string(1, '\0'), 1},
      {"escape", "\x1B", 1},
      {"carriage return", "\r", 1},
      {"delete", "\x7F", 1},
      {"C1, first and last", "\xC2\x80\xC2\x9F", 4},
      {"continuation alone", "\x80", 1},
      {"never in UTF-8", "\xC0\xC1\xF5\xFE\xFF", 5},
      {"truncated after 1 of 2", "\xC3", 1},
      {"truncated after 1 of 3", "\xE2", 1},
      {"truncated after 2 of 3", "\xE2\x82", 2},
      {"truncated after 1 of 4", "\xF0", 1},
      {"truncated after 3 of 4", "\xF0\x9F\x98", 3},
      {"overlong slash in 2", "\xC0\xAF", 2},
      {"overlong in 3", "\xE0\x9F\xBF", 3},
      {"overlong in 4", "\xF0\x8F\xBF\xBF", 4},
      {"surrogates, first and last", "\xED\xA0\x80\xED\xBF\xBF", 6},
      {"past U+10FFFF", "\xF4\x90\x80\x80", 4},
  }));
  INFO(what);
  std::string replaced;
  for (int i = 0; i < bad; ++i) replaced += kBad;
  CHECK(escaped(text) == replaced);
  CHECK(escaped("a" + text + "b") == "a" + replaced + "b");
}

TEST_CASE("repaired leaves alone what only needs escaping") {
  CHECK(repaired("").empty());
  CHECK(repaired("a\tb\n\"c\"\\ \xC3\xA9") == "a\tb\n\"c\"\\ \xC3\xA9");
  CHECK(repaired("\xC3\xFF\x1B[0m") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD[0m");
}

TEST_CASE("write_escaped goes on with the next good byte after a bad one") {
  const auto [text, result] = GENERATE(table<std::string, std::string>({
      {"\xC3\"", "\xEF\xBF\xBD\\\""},            // the quote is still escaped
      {"\xC3\n", "\xEF\xBF\xBD\\n"},             // and so is the newline
      {"\xC3\xC3\xA9", "\xEF\xBF\xBD\xC3\xA9"},  // a sequence after a cut one
      {"\xF0\x9F\xC3\xA9", "\xEF\xBF\xBD\xEF\xBF\xBD\xC3\xA9"},
  }));
  CHECK(escaped(text) == result);
}

TEST_CASE("escaping and repair agree with a second reading of the rules on all boundaries") {
  std::size_t differences = 0;
  std::size_t texts = 1;
  for (std::size_t size = 1; size <= 4; ++size) {
    texts *= kBoundaries.size();
    for (std::size_t number = 0; number < texts; ++number) {
      std::string text(size, ' ');
      auto rest = number;
      for (auto& byte : text) {
        byte = kBoundaries[rest % kBoundaries.size()];
        rest /= kBoundaries.size();
      }
      const auto expected = expected_repair(text);
      if (read_back(escaped(text)) != expected || repaired(text) != expected) ++differences;
    }
  }
  CHECK(differences == 0);
}

TEST_CASE("write_escaped agrees with a second reading of the rules on every pair of bytes") {
  std::size_t differences = 0;
  for (unsigned pair = 0; pair < 65536; ++pair) {
    const std::array bytes = {static_cast<char>(pair >> 8U), static_cast<char>(pair & 0xFFU)};
    const std::string_view text(bytes.data(), bytes.size());
    if (read_back(escaped(text)) != expected_repair(text)) ++differences;
  }
  CHECK(differences == 0);
}

TEST_CASE(
    "write_escaped finds a byte that is not plain wherever it stands in a text of any length") {
  const auto quotes = GENERATE(Quotes::escape, Quotes::keep);
  std::size_t differences = 0;
  for (std::size_t size = 0; size <= 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (const char byte : kBoundaries) {
        // Of exactly its size, so that a byte read beyond it is a finding of ASan.
        const auto text = std::make_unique<char[]>(size);
        for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 26);
        text[at] = byte;
        const std::string_view view(text.get(), size);
        if (escaped(view, quotes) != expected_escape(view, quotes)) ++differences;
      }
    }
  }
  CHECK(differences == 0);
}

TEST_CASE("write_escaped keeps a sequence of several bytes whole wherever it stands") {
  const std::string sequence =
      GENERATE("\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\t\"\t", "\xC3");
  for (std::size_t before = 0; before <= 40; ++before) {
    for (std::size_t after = 0; after <= 20; ++after) {
      const auto text = std::string(before, 'b') + sequence + std::string(after, 'a');
      REQUIRE(escaped(text) == expected_escape(text, Quotes::escape));
    }
  }
}

TEST_CASE("metrics::repaired gives what is read back, which needs no further repair") {
  const std::string text =
      GENERATE("", "train.py", "a\"b\\c\nd\te", "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80",
               "caf\xC3", "\xC3\"", "\xC3\xC3\xA9", "\xF0\x9F\xC3\xA9", "\xED\xA0\x80",
               "\x7F\x1B[2J", "\xC2\x85", "\xFF");
  INFO(text);
  const auto result = metrics::repaired(text);
  CHECK(result == repaired(text));
  CHECK(result == through_a_page(text));
  CHECK(result == metrics::repaired(result));
}

TEST_CASE("a label value of any bytes stays one value on one line of the page") {
  constexpr std::string_view kFrequent = "\"\\\n\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80}n";
  std::mt19937 random(20240607);  // NOLINT: the same bytes on each run
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 12, ' ');
    for (auto& byte : bytes) {
      const auto any = random();
      byte =
          any % 3 == 0 ? static_cast<char>(any >> 8U) : kFrequent[(any >> 8U) % kFrequent.size()];
    }
    REQUIRE(through_a_page(bytes) == expected_repair(bytes));
  }
  CHECK(through_a_page("\"} 9\nx{l=\"") == "\"} 9\nx{l=\"");
}
