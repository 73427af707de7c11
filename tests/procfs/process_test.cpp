#include "procfs/process.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "tests/support/fixture_host.hpp"

using metrics::Errc;
using procfs::parse_process_io;
using procfs::parse_process_stat;
using procfs::parse_process_status;

namespace {

// A real one of Linux 6.18, but for numbers that tell the columns apart.
const std::string kColumns =
    " S 7 13523 13523 0 -1 4194304 981 17 42 18 1503 77 19 21 20 -5 3 0 164183 3133440 366 "
    "18446744073709551615 94359438901248 94359438921129 140724227390544 0 0 0 0 0 0 0 0 0 17 1 0 "
    "0 0 0 0 94359438937136 94359438938752 94360220590080 140724227394176 140724227394196 "
    "140724227394196 140724227395563 0\n";
const std::string kStat = "13528 (cat)" + kColumns;

const std::string kStatus =
    "Name:\tcat\nUmask:\t0022\nState:\tR (running)\nPid:\t13529\nUid:\t0\t1000\t1\t2\nVmPeak:\t    "
    "3060 kB\n"
    "VmHWM:\t    1800 kB\nVmRSS:\t    1716 kB\nRssAnon:\t     116 kB\nVmSwap:\t      12 kB\n"
    "HugetlbPages:\t       0 kB\nThreads:\t1\nSigQ:\t0/96364\nMems_allowed_list:\t0\n"
    "voluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t545\n";

const std::string kIo =
    "rchar: 6976\nwchar: 1\nsyscr: 10\nsyscw: 2\nread_bytes: 4096\nwrite_bytes: 8192\n"
    "cancelled_write_bytes: 512\n";

}  // namespace

TEST_CASE("parse_process_stat reads every column we use") {
  const auto stat = parse_process_stat(kStat);
  REQUIRE(stat);
  CHECK(stat->pid == 13528);
  CHECK(stat->comm == "cat");
  CHECK(stat->state == 'S');
  CHECK(stat->parent_pid == 7);
  CHECK_FALSE(stat->is_kernel_thread);
  CHECK(stat->minor_faults == 981);
  CHECK(stat->children_minor_faults == 17);
  CHECK(stat->major_faults == 42);
  CHECK(stat->children_major_faults == 18);
  CHECK(stat->user_ticks == 1503);
  CHECK(stat->system_ticks == 77);
  CHECK(stat->children_user_ticks == 19);
  CHECK(stat->children_system_ticks == 21);
  CHECK(stat->threads == 3);
  CHECK(stat->start_time_ticks == 164183);
  CHECK(stat->virtual_bytes == 3133440);
  CHECK(stat->stack_address == 140724227390544);
}

TEST_CASE("parse_process_stat knows no stack where the kernel does not tell") {
  // What it says to whom may not trace the process, and a file without the columns.
  const std::string end =
      GENERATE(" 366 18446744073709551615 1 1 0 0 0 0", " 366", "", " 366 1 1 1 x");
  INFO(end);
  const auto stat = parse_process_stat(
      "1 (init) S 0 1 1 0 -1 4194304 9 1 4 1 3 7 1 2 20 -5 3 0 83 3133440" + end);
  REQUIRE(stat);
  CHECK(stat->virtual_bytes == 3133440);
  CHECK_FALSE(stat->stack_address);
}

TEST_CASE("parse_process_stat tells kernel threads by their flag") {
  // Those of kthreadd of Linux 6.18, and all but the one that counts.
  const auto [flags, expected] =
      GENERATE(table<const char*, bool>({{"2129984", true}, {"4292870143", false}}));
  INFO(flags);
  const auto stat = parse_process_stat("2 (kthreadd) S 0 0 0 0 -1 " + std::string(flags) +
                                       " 0 0 0 0 0 3 0 0 20 0 1 0 8 0 0");
  REQUIRE(stat);
  CHECK(stat->is_kernel_thread == expected);
}

TEST_CASE("parse_process_stat takes any name a process can give itself") {
  const std::string comm = GENERATE("", "a b", ")", "(", "(sd-pam)", ") R 1 (", ") R 1 1 1 0 -1 4",
                                    "two\nlines", "\"quoted\"", "\\n", "\t", "caf\xc3", "\xff\xfe",
                                    "\x1b[2J", "kworker/u64:3-events_freezable_power_");
  INFO(comm);
  const auto stat = parse_process_stat("1 (" + comm + ")" + kColumns);
  REQUIRE(stat);
  CHECK(stat->comm == comm);
  CHECK(stat->state == 'S');
  CHECK(stat->parent_pid == 7);
  CHECK(stat->virtual_bytes == 3133440);
}

TEST_CASE("parse_process_stat holds the largest numbers") {
  const auto stat = parse_process_stat(
      "4194304 (x) D 0 0 0 0 -1 0 18446744073709551615 0 18446744073709551615 0 "
      "18446744073709551615 18446744073709551615 0 0 -100 -20 2147483647 0 18446744073709551615 "
      "18446744073709551615 0");
  REQUIRE(stat);
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  CHECK(stat->minor_faults == kMax);
  CHECK(stat->major_faults == kMax);
  CHECK(stat->user_ticks == kMax);
  CHECK(stat->system_ticks == kMax);
  CHECK(stat->threads == 2147483647);
  CHECK(stat->start_time_ticks == kMax);
  CHECK(stat->virtual_bytes == kMax);
}

TEST_CASE("parse_process_stat rejects text that is not the stat of a process") {
  const auto [what, text] = GENERATE(table<const char*, std::string>({
      {"empty file", ""},
      {"no name", "1 S 7 1 1 0 -1 0 1 1 1 1 1 1 1 1 20 0 3 0 1 1 1"},
      {"a name without end", "1 (cat S 7 1 1 0 -1 0 1 1 1 1 1 1 1 1 20 0 3 0 1 1 1"},
      {"a name without start", "1 cat) S 7 1 1 0 -1 0 1 1 1 1 1 1 1 1 20 0 3 0 1 1 1"},
      {"parentheses the wrong way round", "1 )cat( S 7 1 1 0 -1 0 1 1 1 1 1 1 1 1 20 0 3 0 1 1"},
      {"nothing after the name", "1 (cat)"},
      {"no pid", "(cat)" + kColumns},
      {"two pids", "1 2 (cat)" + kColumns},
      {"a pid that is not a number", "1x (cat)" + kColumns},
      {"a state of two letters", "1 (cat) SS 7 1 1 0 -1 0 1 1 1 1 1 1 1 1 20 0 3 0 1 1 1"},
      {"a parent that is not a number", "1 (cat) S - 1 1 0 -1 0 1 1 1 1 1 1 1 1 20 0 3 0 1 1 1"},
      {"the text ends in the start time", "1 (cat) S 7 1 1 0 -1 0 1 1 1 1 1 1 1 1 20 0 3 0 1"},
      {"a number past 64 bits",
       "1 (cat) S 7 1 1 0 -1 0 18446744073709551616 1 1 1 1 1 1 1 20 0 3 0 1 1 1"},
      {"flags that are no number", "1 (cat) S 7 1 1 0 -1 - 0 1 1 1 1 1 1 1 20 0 3 0 1 1 1"},
      {"a negative number", "1 (cat) S 7 1 1 0 -1 0 1 1 1 1 -1 1 1 1 20 0 3 0 1 1 1"},
  }));
  INFO(what);
  const auto stat = parse_process_stat(text);
  REQUIRE_FALSE(stat);
  CHECK(stat.error().code == Errc::malformed);
}

TEST_CASE("parse_process_status reads resident and swapped memory in bytes") {
  const auto status = parse_process_status(kStatus);
  REQUIRE(status);
  constexpr std::uint64_t kKilobyte = 1024;
  CHECK(status->resident_bytes == 1716 * kKilobyte);
  CHECK(status->swapped_bytes == 12 * kKilobyte);
  CHECK(status->peak_resident_bytes == 1800 * kKilobyte);
}

TEST_CASE("parse_process_status reads the effective user and the switches") {
  const auto status = parse_process_status(kStatus);
  REQUIRE(status);
  CHECK(status->uid == 1000);
  CHECK(status->voluntary_switches == 150);
  CHECK(status->nonvoluntary_switches == 545);
}

TEST_CASE("parse_process_status: what has no line is absent") {
  const auto status = parse_process_status("VmRSS:\t 1 kB\nVmSwap:\t 1 kB\nThreads:\t1\n");
  REQUIRE(status);
  CHECK_FALSE(status->uid);
  CHECK_FALSE(status->peak_resident_bytes);
  CHECK_FALSE(status->voluntary_switches);
  CHECK_FALSE(status->nonvoluntary_switches);
}

TEST_CASE("parse_process_status: a process without an address space holds no memory") {
  const auto status = parse_process_status("Name:\tkthreadd\nKthread:\t1\nThreads:\t1\nSigQ:\t1\n");
  REQUIRE(status);
  CHECK(status->resident_bytes == 0);
  CHECK(status->swapped_bytes == 0);
  CHECK_FALSE(status->peak_resident_bytes);
}

TEST_CASE("parse_process_status rejects text that is not the status of a process") {
  const auto [what, text] = GENERATE(table<const char*, const char*>({
      {"empty file", ""},
      {"cut before memory, as of a kernel thread", "Name:\tcat\nState:\tR (running)\n"},
      {"cut within memory", "Name:\tcat\nVmRSS:\t 1 kB\nVmSwap:\t 1 kB\n"},
      {"no VmSwap", "VmRSS:\t 1 kB\nThreads:\t1\n"},
      {"no VmRSS", "VmSwap:\t 1 kB\nThreads:\t1\n"},
      {"a peak without memory", "VmHWM:\t 1 kB\nThreads:\t1\n"},
      {"a peak that is not a number",
       "VmHWM:\t x kB\nVmRSS:\t 1 kB\nVmSwap:\t 1 kB\nThreads:\t1\n"},
      {"a user that is not a number", "Uid:\t0\t-1\t0\t0\nThreads:\t1\n"},
      {"a user past 32 bits", "Uid:\t0\t4294967296\t0\t0\nThreads:\t1\n"},
      {"no user", "Uid:\nThreads:\t1\n"},
      {"only a real user", "Uid:\t0\nThreads:\t1\n"},
      {"switches that are not a number",
       "Threads:\t1\nvoluntary_ctxt_switches:\tx\nnonvoluntary_ctxt_switches:\t1\n"},
      {"only voluntary switches", "Threads:\t1\nvoluntary_ctxt_switches:\t1\n"},
      {"only nonvoluntary switches", "Threads:\t1\nnonvoluntary_ctxt_switches:\t1\n"},
      {"not a number", "VmRSS:\t x kB\nVmSwap:\t 1 kB\nThreads:\t1\n"},
      {"no number", "VmRSS:\t kB\nVmSwap:\t 1 kB\nThreads:\t1\n"},
      {"another unit", "VmRSS:\t 1 MB\nVmSwap:\t 1 kB\nThreads:\t1\n"},
      {"bytes past 64 bits", "VmRSS:\t 18014398509481984 kB\nVmSwap:\t 1 kB\nThreads:\t1\n"},
  }));
  INFO(what);
  const auto status = parse_process_status(text);
  REQUIRE_FALSE(status);
  CHECK(status.error().code == Errc::malformed);
}

TEST_CASE("parse_process_io reads what went to and came from storage") {
  const auto io = parse_process_io(kIo);
  REQUIRE(io);
  CHECK(io->read_bytes == 4096);
  CHECK(io->write_bytes == 8192);
}

TEST_CASE("parse_process_io rejects text that is not the io of a process") {
  const auto [what, text] = GENERATE(table<const char*, const char*>({
      {"empty file", ""},
      {"no write_bytes", "rchar: 1\nread_bytes: 1\ncancelled_write_bytes: 1\n"},
      {"no read_bytes", "rchar: 1\nwrite_bytes: 1\n"},
      {"no number", "read_bytes: 1\nwrite_bytes:\n"},
      {"not a number", "read_bytes: 0x1\nwrite_bytes: 1\n"},
      {"a negative number", "read_bytes: -1\nwrite_bytes: 1\n"},
      {"a number past 64 bits", "read_bytes: 1\nwrite_bytes: 18446744073709551616\n"},
  }));
  INFO(what);
  const auto io = parse_process_io(text);
  REQUIRE_FALSE(io);
  CHECK(io.error().code == Errc::malformed);
}

TEST_CASE("the error of parse_process_io shows the line that is wrong") {
  const std::string line = GENERATE("read_bytes: 0x1", "write_bytes: -1");
  const auto io = parse_process_io("read_bytes: 1\nwrite_bytes: 1\n" + line + "\nsyscr: 1\n");
  REQUIRE_FALSE(io);
  CHECK_THAT(io.error().detail, Catch::Contains(line));
}

TEST_CASE("the parsers of process files survive truncation and damage") {
  tests::survives_truncation_and_damage(kStat, parse_process_stat);
  tests::survives_truncation_and_damage(kStatus, parse_process_status);
  tests::survives_truncation_and_damage(kIo, parse_process_io);
}
