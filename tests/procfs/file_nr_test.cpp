#include "procfs/file_nr.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "tests/support/fixture_host.hpp"

using procfs::parse_file_nr;

TEST_CASE("parse_file_nr reads the three numbers") {
  const auto files = parse_file_nr("484\t2\t9223372036854775807\n");
  REQUIRE(files);
  CHECK(files->allocated == 484);
  CHECK(files->unused == 2);
  CHECK(files->maximum == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("parse_file_nr rejects text that is not /proc/sys/fs/file-nr") {
  const auto [what, text] = GENERATE(table<const char*, std::string>({
      {"empty file", ""},
      {"one newline", "\n"},
      {"two numbers", "484\t0\n"},
      {"four numbers", "484\t0\t2466193\t1\n"},
      {"two lines", "484\t0\t2466193\n484\t0\t2466193\n"},
      {"a word", "484\tnone\t2466193\n"},
      {"a negative number", "-484\t0\t2466193\n"},
      {"a number past 64 bits", "484\t0\t18446744073709551616\n"},
      {"a NUL byte", "48" + std::string(1, '\0') + "\t0\t2466193\n"},
  }));
  INFO(what);
  const auto files = parse_file_nr(text);
  REQUIRE_FALSE(files);
  CHECK(files.error().code == metrics::Errc::malformed);
}

TEST_CASE("parse_file_nr survives any truncation and damage") {
  tests::survives_truncation_and_damage("484\t0\t2466193\n", parse_file_nr);
}
