#include "netlink/taskstats.hpp"

#include <sys/wait.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstring>
#include <limits>
#include <string>

#include "tests/support/taskstats_bytes.hpp"

using metrics::Errc;
using netlink::parse_taskstats;
using netlink::TaskExit;
using tests::bytes_of;
using tests::ByteVector;
using tests::group_part;
using tests::joined;
using tests::message;
using tests::thread_part;

namespace {

constexpr std::int32_t kTid = 4243;
constexpr std::int32_t kTgid = 4242;
constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

/// Every column of its own value.
taskstats sample(std::uint16_t version = 16) {
  taskstats record{};
  record.version = version;
  record.ac_exitcode = 0x8b;
  record.ac_flag = AGROUP | AXSIG;
  record.cpu_delay_total = 11;
  record.blkio_delay_total = 91;
  record.swapin_delay_total = 92;
  record.cpu_run_real_total = 12;
  record.cpu_run_virtual_total = 13;
  std::memcpy(static_cast<char*>(record.ac_comm), "train", sizeof "train");
  record.ac_uid = 1000;
  record.ac_pid = kTid;
  record.ac_ppid = 77;
  record.ac_btime = 1'000'000'000;
  record.ac_etime = 5'250'000;
  record.ac_utime = 14;
  record.ac_stime = 15;
  record.ac_minflt = 16;
  record.ac_majflt = 17;
  record.hiwater_rss = 18;
  record.read_bytes = 19;
  record.write_bytes = 20;
  record.nvcsw = 21;
  record.nivcsw = 22;
  record.freepages_delay_total = 93;
  record.thrashing_delay_total = 94;
  record.ac_btime64 = 5'000'000'000;
  record.compact_delay_total = 95;
  record.ac_tgid = kTgid;
  record.ac_tgetime = 7'500'000;
  return record;
}

/// As long as the struct was in this version.
ByteVector record_bytes(const taskstats& record) {
  auto bytes = bytes_of(record);
  if (record.version < 10) bytes.resize(offsetof(taskstats, ac_btime64));
  if (record.version < 11) bytes.resize(std::min(bytes.size(), offsetof(taskstats, compact_count)));
  if (record.version < 12) bytes.resize(std::min(bytes.size(), offsetof(taskstats, ac_tgid)));
  if (record.version == 15) {
    const ByteVector extremes(16, std::byte{0xee});
    // From the last, so that the places before it stay where they are.
    for (const auto offset :
         {offsetof(taskstats, wpcopy_delay_total), offsetof(taskstats, compact_delay_total),
          offsetof(taskstats, thrashing_delay_total), offsetof(taskstats, freepages_delay_total),
          offsetof(taskstats, swapin_delay_total), offsetof(taskstats, blkio_delay_total),
          offsetof(taskstats, cpu_delay_total)}) {
      bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(offset) + 8, extremes.begin(),
                   extremes.end());
    }
  }
  if (record.version >= 15) bytes.resize(560);
  return bytes;
}

ByteVector datagram_of(const taskstats& record) {
  return message(thread_part(kTid, record_bytes(record)));
}

TaskExit only_exit(const ByteVector& datagram) {
  auto exits = parse_taskstats(datagram);
  REQUIRE(exits);
  REQUIRE(exits->size() == 1);
  return exits->front();
}

}  // namespace

TEST_CASE("parse_taskstats reads every column that all versions have") {
  const auto version = GENERATE(as<std::uint16_t>{}, 8, 10, 11, 12, 13, 14, 15, 16, 99);
  INFO(version);
  const auto exit = only_exit(datagram_of(sample(version)));
  CHECK(exit.version == version);
  CHECK(exit.tid == kTid);
  CHECK(exit.comm == "train");
  CHECK(exit.uid == 1000);
  CHECK(exit.parent_pid == 77);
  CHECK(exit.wait_status == 0x8b);
  CHECK(exit.elapsed_microseconds == 5'250'000);
  CHECK(exit.user_microseconds == 14);
  CHECK(exit.system_microseconds == 15);
  CHECK(exit.cpu_nanoseconds == 12);
  CHECK(exit.run_nanoseconds == 13);
  CHECK(exit.cpu_delay_nanoseconds == 11);
  CHECK(exit.minor_faults == 16);
  CHECK(exit.major_faults == 17);
  CHECK(exit.read_bytes == 19);
  CHECK(exit.write_bytes == 20);
  CHECK(exit.voluntary_switches == 21);
  CHECK(exit.nonvoluntary_switches == 22);
  CHECK(exit.peak_resident_bytes == 18 * 1024);
  CHECK_FALSE(exit.group);

  const bool names_process = version >= 12;
  CHECK(exit.begin_seconds == (version >= 10 ? 5'000'000'000 : 1'000'000'000));
  CHECK(exit.tgid.has_value() == names_process);
  CHECK(exit.tgid.value_or(kTgid) == kTgid);
  CHECK(exit.process_elapsed_microseconds.has_value() == names_process);
  CHECK(exit.process_elapsed_microseconds.value_or(7'500'000) == 7'500'000);
  CHECK(exit.is_last_of_group == names_process);
}

TEST_CASE("parse_taskstats: a thread that others outlive is not the last of its process") {
  auto record = sample();
  record.ac_flag = 0xff & ~AGROUP;
  CHECK_FALSE(only_exit(datagram_of(record)).is_last_of_group);
}

TEST_CASE("parse_taskstats adds the totals of a process to its last thread") {
  const auto version = GENERATE(as<std::uint16_t>{}, 8, 12, 15, 16);
  INFO(version);
  taskstats totals{};
  totals.version = version;
  totals.cpu_delay_total = 31;
  totals.cpu_run_real_total = 32;
  totals.cpu_run_virtual_total = 33;
  const auto exit = only_exit(message(joined({thread_part(kTid, record_bytes(sample(version))),
                                              group_part(kTgid, record_bytes(totals))})));
  CHECK(exit.tgid == kTgid);
  CHECK(exit.is_last_of_group);
  REQUIRE(exit.group);
  CHECK(exit.group->tgid == kTgid);
  CHECK(exit.group->cpu_nanoseconds == 32);
  CHECK(exit.group->run_nanoseconds == 33);
  CHECK(exit.group->cpu_delay_nanoseconds == 31);
  CHECK(exit.cpu_nanoseconds == 12);
}

TEST_CASE("parse_taskstats takes any name, and one that fills its place") {
  const std::string comm =
      GENERATE("", "a b", "two\nlines", "caf\xc3", "\xff\xfe", "kworker/u64:3-events_freezable_");
  auto record = sample();
  std::memset(static_cast<char*>(record.ac_comm), 0, sizeof record.ac_comm);
  std::memcpy(static_cast<char*>(record.ac_comm), comm.data(), comm.size());
  CHECK(only_exit(datagram_of(record)).comm == comm);
  std::memset(static_cast<char*>(record.ac_comm), 'x', sizeof record.ac_comm);
  CHECK(only_exit(datagram_of(record)).comm == std::string(TS_COMM_LEN, 'x'));
}

TEST_CASE("parse_taskstats holds the largest numbers") {
  auto record = sample();
  record.cpu_run_real_total = record.ac_etime = record.ac_tgetime = record.ac_btime64 = kMax;
  record.hiwater_rss = kMax >> 10U;
  const auto exit = only_exit(datagram_of(record));
  CHECK(exit.cpu_nanoseconds == kMax);
  CHECK(exit.begin_seconds == -1);
  CHECK(exit.peak_resident_bytes == (kMax >> 10U) * 1024);
  CHECK(process_start(exit));
}

TEST_CASE("parse_taskstats: a peak that there is not, or cannot be, is absent") {
  auto record = sample();
  record.hiwater_rss = GENERATE(std::uint64_t{0}, (kMax >> 10U) + 1);
  CHECK_FALSE(only_exit(datagram_of(record)).peak_resident_bytes);
}

TEST_CASE("parse_taskstats gives all records of a datagram and skips other commands") {
  auto other = sample();
  other.ac_uid = 1001;
  const auto exits = parse_taskstats(joined(
      {datagram_of(sample()), message({}, TASKSTATS_CMD_GET), message({}, 9), datagram_of(other)}));
  REQUIRE(exits);
  REQUIRE(exits->size() == 2);
  CHECK((*exits)[0].uid == 1000);
  CHECK((*exits)[1].uid == 1001);
}

TEST_CASE("parse_taskstats rejects what is not a record") {
  const auto good = record_bytes(sample());
  auto short_record = good;
  short_record.resize(offsetof(taskstats, nivcsw) + 7);
  auto other_layout = record_bytes(sample(15));
  other_layout.resize(496);
  auto no_process = sample();
  no_process.ac_tgid = 0;
  const auto [what, datagram] = GENERATE_COPY(table<std::string, ByteVector>({
      {"nothing", {}},
      {"an error of netlink", tests::netlink_error(1)},
      {"a message without attributes", message({})},
      {"only attributes that we do not know", message(tests::attribute(9, good))},
      {"a record about another thread", message(thread_part(kTid + 1, good))},
      {"a thread that is none", message(thread_part(0, good))},
      {"a process that is none", datagram_of(no_process)},
      {"a record that is too short", message(thread_part(kTid, short_record))},
      {"version 15 of another length", message(thread_part(kTid, other_layout))},
      {"an empty record", message(thread_part(kTid, {}))},
      {"no record",
       message(tests::attribute(TASKSTATS_TYPE_AGGR_PID,
                                tests::attribute(TASKSTATS_TYPE_PID, bytes_of(kTid))))},
      {"no thread", message(tests::attribute(TASKSTATS_TYPE_AGGR_PID,
                                             tests::attribute(TASKSTATS_TYPE_STATS, good)))},
      {"two threads", message(joined({thread_part(kTid, good), thread_part(kTid, good)}))},
      {"only the totals", message(group_part(kTgid, good))},
      {"the totals of another process",
       message(joined({thread_part(kTid, good), group_part(kTgid + 1, good)}))},
      {"bytes after the last message", joined({datagram_of(sample()), {std::byte{1}}})},
      {"a record behind an error", joined({tests::netlink_error(1), datagram_of(sample())})},
  }));
  INFO(what);
  const auto exits = parse_taskstats(datagram);
  REQUIRE_FALSE(exits);
  CHECK(exits.error().code == Errc::malformed);
}

TEST_CASE("parse_taskstats reads a datagram as Linux 6.18 sent it") {
  const auto exit = only_exit(tests::captured_datagram());
  CHECK(exit.version == 16);
  CHECK(exit.tid == 12959);
  CHECK(exit.tgid == 12959);
  CHECK(exit.is_last_of_group);
  CHECK(exit.comm == "captured");
  CHECK(exit.uid == 0);
  CHECK(exit.parent_pid == 12956);
  CHECK(WEXITSTATUS(exit.wait_status) == 3);
  CHECK(exit.begin_seconds == 1'795'545'806);
  CHECK(exit.elapsed_microseconds == 231'901);
  CHECK(exit.process_elapsed_microseconds == 231'901);
  CHECK(exit.run_nanoseconds == 532'409);
  CHECK(exit.cpu_delay_nanoseconds == 68'749);
  CHECK(exit.minor_faults == 103);
  CHECK(exit.voluntary_switches == 1);
  CHECK(exit.peak_resident_bytes == 6'774'784);
  REQUIRE(exit.group);
  CHECK(exit.group->tgid == 12959);
  CHECK(exit.group->cpu_nanoseconds == 247'799'293);
  CHECK(exit.group->run_nanoseconds == 243'213'340);
  CHECK(exit.group->cpu_delay_nanoseconds == 157'475'803);
}

TEST_CASE("a datagram that is cut is malformed, wherever it is cut") {
  for (const auto& whole : {tests::captured_datagram(), datagram_of(sample(12)),
                            datagram_of(sample(15)), datagram_of(sample(8))}) {
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
      // In memory of its own, so that the sanitizer sees a byte read too far.
      const ByteVector part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut));
      const auto exits = parse_taskstats(part);
      INFO(cut);
      REQUIRE_FALSE(exits);
      REQUIRE(exits.error().code == Errc::malformed);
    }
  }
}

TEST_CASE("parse_taskstats survives damage to each byte") {
  for (const auto& whole :
       {tests::captured_datagram(), datagram_of(sample(15)), datagram_of(sample(8))}) {
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (const int damage : {0x00, 0x01, 0x03, 0x04, 0x0f, 0x10, 0x7f, 0x80, 0xfe, 0xff}) {
        auto bytes = whole;
        bytes[at] = static_cast<std::byte>(damage);
        const auto exits = parse_taskstats(bytes);
        if (!exits) continue;
        for (const auto& exit : *exits) (void)process_start(exit);
      }
    }
  }
}

TEST_CASE("the start of a process is known to a second") {
  TaskExit exit;
  exit.begin_seconds = 1000;  // of the thread
  exit.elapsed_microseconds = 5'250'000;
  CHECK_FALSE(process_start(exit));
  // It ended in the second from 1005 on; the process is 2.25 s older than the thread.
  exit.process_elapsed_microseconds = 7'500'000;
  const auto start = process_start(exit);
  REQUIRE(start);
  CHECK(start->earliest_seconds == Approx(997.5));
  CHECK(start->latest_seconds == Approx(998.51));
}
