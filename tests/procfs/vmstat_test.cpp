#include "procfs/vmstat.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "tests/support/fixture_host.hpp"

using procfs::parse_vmstat;

TEST_CASE("parse_vmstat keeps what is about paging, in file order") {
  const std::string text =
      "nr_free_pages 1182984\n"
      "pgfault 18446744073709551615\n"
      "numa_hit is nobody's concern\n"
      "pswpin 7\n"
      "psi 3\n"
      "oom_kill 0\n";
  const auto vmstat = parse_vmstat(text);
  REQUIRE(vmstat);
  const auto& fields = vmstat->fields;
  REQUIRE(fields.size() == 3);
  CHECK(fields[0].name == "pgfault");
  CHECK(fields[0].value == std::numeric_limits<std::uint64_t>::max());
  CHECK(fields[1].name == "pswpin");
  CHECK(fields[1].value == 7);
  CHECK(fields[2].name == "oom_kill");
  CHECK(fields[2].value == 0);
}

TEST_CASE("parse_vmstat takes a file without its last newline") {
  const auto vmstat = parse_vmstat("pgpgin 5");
  REQUIRE(vmstat);
  CHECK(vmstat->fields.at(0).value == 5);
}

TEST_CASE("parse_vmstat rejects text that is not /proc/vmstat") {
  const auto [what, text] = GENERATE(table<const char*, std::string>({
      {"empty file", ""},
      {"nothing about paging", "nr_free_pages 5\n"},
      {"a name alone", "pgpgin\n"},
      {"a name and a blank", "pgpgin \n"},
      {"a word for a number", "pgpgin many\n"},
      {"a negative number", "pgpgin -5\n"},
      {"a number past 64 bits", "pgpgin 18446744073709551616\n"},
      {"two numbers", "pgpgin 5 6\n"},
      {"a NUL byte", "pgpgin 5" + std::string(1, '\0') + "\n"},
  }));
  INFO(what);
  const auto vmstat = parse_vmstat(text);
  REQUIRE_FALSE(vmstat);
  CHECK(vmstat.error().code == metrics::Errc::malformed);
}

TEST_CASE("parse_vmstat survives any truncation and damage") {
  tests::survives_truncation_and_damage("pgpgin 15\npgfault 1787501\noom_kill 0\n",
                                        [](const std::string& text) { (void)parse_vmstat(text); });
}

TEST_CASE("a field of vmstat is found by its whole name") {
  const auto vmstat = procfs::parse_vmstat("pgfault 1\npgmajfault 2\noom_kill 3\n");
  REQUIRE(vmstat);
  CHECK(vmstat->find("pgmajfault") == 2U);
  CHECK(vmstat->find("oom_kill") == 3U);
  CHECK_FALSE(vmstat->find("oom"));
}
