#include "procfs/meminfo.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "tests/support/fixture_host.hpp"

using procfs::parse_meminfo;

namespace {

const std::string kWhole =
    "MemTotal:       24684096 kB\n"
    "MemAvailable:   24404228 kB\n"
    "Active(anon):       1544 kB\n"
    "HugePages_Total:       3\n"
    "VmallocTotal:   34359738367 kB\n";

}  // namespace

TEST_CASE("parse_meminfo keeps every line in file order") {
  const auto info = parse_meminfo(kWhole);
  REQUIRE(info);
  const auto& fields = info->fields;
  REQUIRE(fields.size() == 5);
  CHECK(fields[0].name == "MemTotal");
  CHECK(fields[2].name == "Active(anon)");
  CHECK(fields[4].name == "VmallocTotal");
}

TEST_CASE("parse_meminfo turns kB into bytes and leaves counts alone") {
  const auto info = parse_meminfo(kWhole);
  REQUIRE(info);
  CHECK(info->fields[0].value == 24684096ULL * 1024);
  CHECK(info->fields[0].is_bytes);
  CHECK(info->fields[3].value == 3);
  CHECK_FALSE(info->fields[3].is_bytes);
}

TEST_CASE("parse_meminfo finds fields by their exact name") {
  const auto info = parse_meminfo(kWhole);
  REQUIRE(info);
  CHECK(info->find("VmallocTotal") == 34359738367ULL * 1024);
  CHECK(info->find("HugePages_Total") == 3);
  CHECK_FALSE(info->find("MemFree"));
  CHECK_FALSE(info->find("Mem"));
  CHECK_FALSE(info->find(""));
}

TEST_CASE("parse_meminfo takes a file without its last newline") {
  const auto info = parse_meminfo("MemFree: 7 kB");
  REQUIRE(info);
  CHECK(info->find("MemFree") == 7 * 1024);
}

TEST_CASE("parse_meminfo takes the most bytes that 64 bits hold and no more") {
  const auto largest = parse_meminfo("MemFree: 18014398509481983 kB\n");
  REQUIRE(largest);
  CHECK(largest->find("MemFree") == std::numeric_limits<std::uint64_t>::max() - 1023);
  CHECK_FALSE(parse_meminfo("MemFree: 18014398509481984 kB\n"));
}

TEST_CASE("parse_meminfo rejects text that is not /proc/meminfo") {
  const auto [what, text] = GENERATE(table<const char*, std::string>({
      {"empty file", ""},
      {"empty line", "\n"},
      {"one word", "MemTotal:\n"},
      {"no colon", "MemTotal 5 kB\n"},
      {"only a colon", ": 5 kB\n"},
      {"a word for a number", "MemTotal: five kB\n"},
      {"a negative number", "MemTotal: -5 kB\n"},
      {"a fraction", "MemTotal: 5.5 kB\n"},
      {"a number past 64 bits", "HugePages_Free: 18446744073709551616\n"},
      {"another unit", "MemTotal: 5 MB\n"},
      {"more than the unit", "MemTotal: 5 kB 6\n"},
      {"a good line, then a bad one", "MemTotal: 5 kB\nMemFree\n"},
      {"a NUL byte", "MemTotal: 5" + std::string(1, '\0') + " kB\n"},
  }));
  INFO(what);
  const auto info = parse_meminfo(text);
  REQUIRE_FALSE(info);
  CHECK(info.error().code == metrics::Errc::malformed);
}

TEST_CASE("parse_meminfo survives any truncation and damage") {
  tests::survives_truncation_and_damage(kWhole,
                                        [](const std::string& text) { (void)parse_meminfo(text); });
}
