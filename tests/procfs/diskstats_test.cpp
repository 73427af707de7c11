#include "procfs/diskstats.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "tests/support/fixture_host.hpp"

using procfs::parse_diskstats;

TEST_CASE("parse_diskstats gives every column its own number") {
  const auto disks = parse_diskstats(
      " 259       3 nvme0n1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n"
      "   8       0 sda 30124 8127 2983370 13823 25990 9069 1599560 8566 0 10040 23118 6391 53 "
      "207752 621 1345 107\n");
  REQUIRE(disks);
  REQUIRE(disks->size() == 2);
  const auto& disk = disks->at(0);
  CHECK(disk.major == 259);
  CHECK(disk.minor == 3);
  CHECK(disk.name == "nvme0n1");
  CHECK(disk.reads_completed == 1);
  CHECK(disk.reads_merged == 2);
  CHECK(disk.read_sectors == 3);
  CHECK(disk.read_milliseconds == 4);
  CHECK(disk.writes_completed == 5);
  CHECK(disk.writes_merged == 6);
  CHECK(disk.written_sectors == 7);
  CHECK(disk.write_milliseconds == 8);
  CHECK(disk.in_progress == 9);
  CHECK(disk.io_milliseconds == 10);
  CHECK(disk.weighted_io_milliseconds == 11);
  REQUIRE(disk.discards);
  CHECK(disk.discards->completed == 12);
  CHECK(disk.discards->merged == 13);
  CHECK(disk.discards->sectors == 14);
  CHECK(disk.discards->milliseconds == 15);
  REQUIRE(disk.flushes);
  CHECK(disk.flushes->completed == 16);
  CHECK(disk.flushes->milliseconds == 17);
  CHECK(disks->at(1).name == "sda");
}

TEST_CASE("parse_diskstats knows the columns of each kernel") {
  const auto [kernel, line, has_discards, has_flushes] =
      GENERATE(table<const char*, const char*, bool, bool>({
          {"before 4.18", "8 0 sda 1 2 3 4 5 6 7 8 9 10 11", false, false},
          {"before 4.18, a blank at the end", "8 0 sda 1 2 3 4 5 6 7 8 9 10 11 \n", false, false},
          {"4.18", "8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15\n", true, false},
          {"5.5", "8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n", true, true},
          {"a later one", "8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x\n", true, true},
      }));
  INFO(kernel);
  const auto disks = parse_diskstats(line);
  REQUIRE(disks);
  REQUIRE(disks->size() == 1);
  CHECK(disks->at(0).weighted_io_milliseconds == 11);
  CHECK(disks->at(0).discards.has_value() == has_discards);
  CHECK(disks->at(0).flushes.has_value() == has_flushes);
}

TEST_CASE("parse_diskstats takes a host without disks, odd names and the largest numbers") {
  CHECK(parse_diskstats("")->empty());
  const auto disks = parse_diskstats(
      "4294967295 4294967295 cciss/c0d0p1\xff\" 18446744073709551615 2 3 4 5 6 7 8 9 10 11\n");
  REQUIRE(disks);
  CHECK(disks->at(0).name == "cciss/c0d0p1\xff\"");
  CHECK(disks->at(0).minor == std::numeric_limits<unsigned>::max());
  CHECK(disks->at(0).reads_completed == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("parse_diskstats rejects text that is not /proc/diskstats") {
  const auto [what, text] = GENERATE(table<const char*, const char*>({
      {"an empty line", "\n"},
      {"a partition before 2.6.25", "8 1 sda1 1 2 3 4\n"},
      {"10 columns", "8 0 sda 1 2 3 4 5 6 7 8 9 10\n"},
      {"12 columns", "8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12\n"},
      {"14 columns", "8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14\n"},
      {"16 columns", "8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"},
      {"no name", "8 0 1 2 3 4 5 6 7 8 9 10 11\n"},
      {"no numbers", "sda 1 2 3 4 5 6 7 8 9 10 11\n"},
      {"a word", "8 0 sda 1 2 3 four 5 6 7 8 9 10 11\n"},
      {"a negative number", "8 0 sda 1 2 3 4 5 6 7 8 -9 10 11\n"},
      {"past 64 bits", "8 0 sda 1 2 18446744073709551616 4 5 6 7 8 9 10 11\n"},
      {"a major past 32 bits", "4294967296 0 sda 1 2 3 4 5 6 7 8 9 10 11\n"},
      {"a bad second line", "8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n8 16 sdb 1\n"},
  }));
  INFO(what);
  const auto disks = parse_diskstats(text);
  REQUIRE_FALSE(disks);
  CHECK(disks.error().code == metrics::Errc::malformed);
}

TEST_CASE("parse_diskstats survives any truncation and damage") {
  tests::survives_truncation_and_damage(
      "   8       0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n",
      [](const std::string& text) { (void)parse_diskstats(text); });
}
