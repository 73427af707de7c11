#include "procfs/text.hpp"

#include <catch2/catch.hpp>
#include <cstdint>
#include <string>

using procfs::take_field;
using procfs::take_number;
using procfs::to_number;

namespace {

constexpr const char* kFields[] = {
    "0",
    "7",
    "00012",
    "18446744073709551615",
    "18446744073709551616",
    "9999999999999999999",
    "1234567890123456789",
    "99999999999999999999999",
    "4294967295",
    "4294967296",
    "999999999",
    "-1",
    "+1",
    "1.5",
    "12a",
    "a12",
    "",
    "\x80",
    "1\v",
};

/// take_number() is to do what to_number(take_field()) does, faster.
template <class T>
void check_same(const std::string& line) {
  std::string_view fast = line;
  std::string_view plain = line;
  T number = 0;
  T expected = 0;
  const bool is_number = take_number(fast, number);
  INFO("'" << line << "'");
  REQUIRE(is_number == to_number(take_field(plain), expected));
  if (is_number) CHECK(number == expected);
  CHECK(fast == plain);
}

}  // namespace

TEST_CASE("take_number takes the field that to_number understands") {
  for (const std::string field : kFields) {
    for (const std::string before : {"", " ", "\t  "}) {
      for (const std::string after : {"", " ", "\t", " 5", "\n"}) {
        check_same<std::uint64_t>(before + field + after);
        check_same<std::uint32_t>(before + field + after);
      }
    }
  }
}

TEST_CASE("take_number goes on where it stopped") {
  std::string_view line = " 1 22\t333";
  unsigned number = 0;
  REQUIRE(take_number(line, number));
  REQUIRE(take_number(line, number));
  REQUIRE(take_number(line, number));
  CHECK(number == 333);
  CHECK_FALSE(take_number(line, number));
  CHECK(line.empty());
}
