#include "procfs/process_details.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/fixture_host.hpp"

using metrics::Errc;
using procfs::parse_process_limits;
using procfs::parse_process_statm;
using procfs::parse_smaps_rollup;

namespace {

const std::string kLimits =
    "Limit                     Soft Limit           Hard Limit           Units     \n"
    "Max cpu time              unlimited            unlimited            seconds   \n"
    "Max processes             96364                96364                processes \n"
    "Max open files            20000                524288               files     \n";

const std::string kSmapsRollup =
    "55f9c1ec8000-7ffee6bc4000 ---p 00000000 00:00 0                          [rollup]\n"
    "Rss:                1616 kB\nPss:                 212 kB\nPss_Dirty:           112 kB\n"
    "Swap:                  4 kB\nSwapPss:               2 kB\nLocked:                0 kB\n";

}  // namespace

TEST_CASE("parse_process_limits reads the soft limit of open files") {
  const auto limits = parse_process_limits(kLimits);
  REQUIRE(limits);
  CHECK(limits->open_files == 20000);
  const auto unlimited = parse_process_limits("Max open files            unlimited  unlimited");
  REQUIRE(unlimited);
  CHECK_FALSE(unlimited->open_files);
}

TEST_CASE("parse_process_limits rejects text without the line, or without a number in it") {
  const std::string text = GENERATE("", "Max processes   1 1 processes\n", "Max open files\n",
                                    "Max open files   -1 1 files\n", "Max open files   x\n");
  INFO(text);
  const auto limits = parse_process_limits(text);
  REQUIRE_FALSE(limits);
  CHECK(limits.error().code == Errc::malformed);
}

TEST_CASE("parse_smaps_rollup reads the shares of memory and swap in bytes") {
  const auto rollup = parse_smaps_rollup(kSmapsRollup);
  REQUIRE(rollup);
  CHECK(rollup->proportional_bytes == 212 * 1024);
  CHECK(rollup->proportional_swapped_bytes == 2 * 1024);
}

TEST_CASE("parse_smaps_rollup rejects text without both shares") {
  const std::string text =
      GENERATE("", "Pss: 1 kB\n", "SwapPss: 1 kB\n", "Pss: x kB\nSwapPss: 1 kB\n",
               "Pss: 1 kB\nSwapPss: 1 MB\n", "Pss: 18014398509481984 kB\nSwapPss: 1 kB\n");
  INFO(text);
  const auto rollup = parse_smaps_rollup(text);
  REQUIRE_FALSE(rollup);
  CHECK(rollup.error().code == Errc::malformed);
}

TEST_CASE("parse_process_statm reads pages") {
  const auto statm = parse_process_statm("3060 1716 900 20 0 400 0\n");
  REQUIRE(statm);
  CHECK(statm->virtual_pages == 3060);
  CHECK(statm->resident_pages == 1716);
}

TEST_CASE("parse_process_statm rejects text without two numbers") {
  const std::string text =
      GENERATE("", "\n", "1\n", "1 x\n", "x 1\n", "-1 1\n", "1\n1\n", "1 18446744073709551616\n");
  INFO(text);
  const auto statm = parse_process_statm(text);
  REQUIRE_FALSE(statm);
  CHECK(statm.error().code == Errc::malformed);
}

TEST_CASE("the parsers of a process's details survive truncation and damage") {
  tests::survives_truncation_and_damage(kLimits, parse_process_limits);
  tests::survives_truncation_and_damage(kSmapsRollup, parse_smaps_rollup);
  tests::survives_truncation_and_damage("3060 1716 900 20 0 400 0\n", parse_process_statm);
}
