#include "metrics/number.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

/// In exactly as much room as is asked for, so that one byte more is a finding of ASan.
std::string written(char* (*write)(char*, double), double value) {
  const auto out = std::make_unique<char[]>(metrics::kMaxNumberBytes);
  return {out.get(), write(out.get(), value)};
}

std::string spelled(double value) { return written(metrics::write_number, value); }
std::string spelled_bound(double bound) { return written(metrics::write_bound, bound); }

template <class... Format>
std::string to_text(double value, Format... format) {
  std::array<char, 400> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value, format...).ptr};
}

/// The rule for values in terms of the standard library alone.
std::string expected_number(double value) {
  const auto fixed = to_text(value, std::chars_format::fixed);
  const auto point = fixed.find('.');
  const bool is_exact_integer = point == fixed.npos && std::abs(value) < 0x1p53;
  const bool is_short = point != fixed.npos && fixed.size() - point <= 7 && std::abs(value) < 1e9;
  return is_exact_integer || is_short ? fixed : to_text(value);
}

/// The rule for bounds: that of Go's strconv for the format 'g', then ".0" for what looks like an
/// integer.
std::string expected_bound(double bound) {
  const auto scientific = to_text(bound, std::chars_format::scientific);
  const auto exponent = std::stoi(scientific.substr(scientific.find('e') + 1));
  if (exponent < -4 || exponent > 5) return scientific;
  auto fixed = to_text(bound, std::chars_format::fixed);
  if (fixed.find('.') == fixed.npos) fixed += ".0";
  return fixed;
}

/// Numbers at which the way to write them changes, their neighbours, and their opposites.
std::vector<double> boundary_numbers() {
  std::vector<double> bases = {0.1 + 0.2, 4.273349, 0x1p51, 0x1p52 + 0.5, 0x1p53, 0x1p64, 1.0 / 3};
  for (int exponent = -8; exponent <= 22; ++exponent) {
    const auto power = std::stod("1e" + std::to_string(exponent));
    for (const double offset : {0.0, 1e-6, 5e-7, 0.01, 0.5, 1.0}) {
      bases.push_back(power + offset);
      bases.push_back(power - offset);
    }
  }
  std::vector<double> numbers;
  for (const auto base : bases) {
    for (const auto next : {base, std::nextafter(base, kInf), std::nextafter(base, -1e300)}) {
      numbers.push_back(next);
      numbers.push_back(-next);
    }
  }
  return numbers;
}

}  // namespace

TEST_CASE("numbers are the shortest text that reads back as the same double") {
  const auto [value, text] = GENERATE(table<double, const char*>({
      {0.0, "0"},
      {-0.0, "-0"},
      {1.0, "1"},
      {-17.0, "-17"},
      {0.1 + 0.2, "0.30000000000000004"},
      {1e-7, "1e-07"},
      {-0.5, "-0.5"},
      {4.273349, "4.273349"},
      {-123456.000001, "-123456.000001"},
      {999999999.999999, "999999999.999999"},
      {4.2733490000000005, "4.2733490000000005"},
      {1700000000.25, "1700000000.25"},
      {9007199254740991.0, "9007199254740991"},  // 2^53 - 1
      {9007199254740992.0, "9007199254740992"},
      {-9007199254740992.0, "-9007199254740992"},
      {9007199254740994.0, "9007199254740994"},
      {18446744073709551615.0, "18446744073709551616"},
      {1e22, "1e+22"},
      {std::numeric_limits<double>::max(), "1.7976931348623157e+308"},
      {std::numeric_limits<double>::denorm_min(), "5e-324"},
      {kInf, "+Inf"},
      {-kInf, "-Inf"},
      {std::nan(""), "NaN"},
      {-std::nan(""), "NaN"},
  }));
  CHECK(spelled(value) == text);
}

TEST_CASE("any number reads back as itself") {
  std::mt19937_64 random(20240607);
  for (int i = 0; i < 20'000; ++i) {
    const auto bits = random();
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    if (i % 3 == 0) value = std::trunc(std::fmod(value, 1e17));
    if (i % 3 == 1) value = std::trunc(std::fmod(value, 1e15)) / 1e6;
    const auto text = spelled(value);
    double back = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), back);
    REQUIRE(error == std::errc{});
    REQUIRE(end == text.data() + text.size());
    REQUIRE(back == value);
    REQUIRE(std::signbit(back) == std::signbit(value));
  }
}

TEST_CASE("numbers and bounds are spelled by their rules on both sides of every boundary") {
  for (const auto number : boundary_numbers()) {
    REQUIRE(spelled(number) == expected_number(number));
    REQUIRE(spelled_bound(number) == expected_bound(number));
  }
}

TEST_CASE("integers and millionths of every length are spelled by the rule") {
  std::mt19937_64 random(20240607);
  for (int i = 0; i < 50'000; ++i) {
    const auto bits = static_cast<int>(random() % 53);
    const auto integer = static_cast<double>(random() >> (63 - bits));
    const auto unit = i % 2 == 0 ? 1e6 : 100;
    REQUIRE(spelled(integer) == expected_number(integer));
    REQUIRE(spelled(-integer / unit) == expected_number(-integer / unit));
    REQUIRE(spelled_bound(integer / unit) == expected_bound(integer / unit));
  }
}
