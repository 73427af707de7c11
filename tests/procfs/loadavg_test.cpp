#include "procfs/loadavg.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "tests/support/fixture_host.hpp"

using procfs::parse_loadavg;

TEST_CASE("parse_loadavg reads the three averages") {
  const auto load = parse_loadavg("0.46 12.15 1024.05 2/89 4981\n");
  REQUIRE(load);
  CHECK(load->one_minute == 0.46);
  CHECK(load->five_minutes == 12.15);
  CHECK(load->fifteen_minutes == 1024.05);
}

TEST_CASE("parse_loadavg does not need what follows the averages") {
  CHECK(parse_loadavg("0.00 0.01 0.05"));
  CHECK(parse_loadavg("0.00 0.01 0.05 ?/? ?\nmore\n"));
}

TEST_CASE("parse_loadavg rejects text that is not /proc/loadavg") {
  const auto [what, text] = GENERATE(table<const char*, std::string>({
      {"empty file", ""},
      {"one newline", "\n"},
      {"two averages", "0.46 0.15\n"},
      {"the third in the next line", "0.46 0.15\n0.05\n"},
      {"a word", "0.46 high 0.05 2/89 4981\n"},
      {"a number with a tail", "0.46 0.15 0.05x 2/89 4981\n"},
      {"a comma for a point", "0,46 0,15 0,05 2/89 4981\n"},
      {"a negative average", "-0.46 0.15 0.05 2/89 4981\n"},
      {"not a number", "nan 0.15 0.05 2/89 4981\n"},
      {"infinity", "0.46 inf 0.05 2/89 4981\n"},
      {"past the largest double", "1e999 0.15 0.05 2/89 4981\n"},
      {"a NUL byte", "0.4" + std::string(1, '\0') + " 0.15 0.05\n"},
  }));
  INFO(what);
  const auto load = parse_loadavg(text);
  REQUIRE_FALSE(load);
  CHECK(load.error().code == metrics::Errc::malformed);
}

TEST_CASE("parse_loadavg survives any truncation and damage") {
  tests::survives_truncation_and_damage("0.46 0.15 0.05 2/89 4981\n", parse_loadavg);
}
