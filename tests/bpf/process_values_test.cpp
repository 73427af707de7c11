#include "bpf/process_values.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <limits>

using bpf::scaled_times;

TEST_CASE("scaled_times splits the exact time in the ratio of the sampled ones") {
  const auto [user, system, run, wanted_user, wanted_system] =
      GENERATE(table<std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t>({
          {0, 0, 0, 0, 0},
          {0, 0, 7, 7, 0},                       // no tick saw it: all user time
          {4'000'000, 0, 9, 9, 0},               //
          {0, 4'000'000, 9, 0, 9},               //
          {4'000'000, 4'000'000, 10, 5, 5},      //
          {4'000'000, 12'000'000, 100, 25, 75},  //
          {8'000'000, 4'000'000, 10, 7, 3},      // the system time is rounded down
          {1, 1, std::numeric_limits<std::uint64_t>::max(), 1ULL << 63U, (1ULL << 63U) - 1},
          {std::numeric_limits<std::uint64_t>::max(), std::numeric_limits<std::uint64_t>::max(),
           std::numeric_limits<std::uint64_t>::max(), 1ULL << 63U, (1ULL << 63U) - 1},
      }));
  const auto times = scaled_times(user, system, run);
  CHECK(times.user_ns == wanted_user);
  CHECK(times.system_ns == wanted_system);
  CHECK(times.user_ns + times.system_ns == run);
}

TEST_CASE("scaled_times takes the times of counters") {
  ProcessCounters counters{};
  counters.user_time_ns = 1;
  counters.system_time_ns = 3;
  counters.run_time_ns = 80;
  CHECK(scaled_times(counters).user_ns == 20);
  CHECK(scaled_times(counters).system_ns == 60);
}

TEST_CASE("state_letter is that of /proc") {
  const auto [state, exit_state, letter] = GENERATE(table<std::uint32_t, std::uint32_t, char>({
      {0, 0, 'R'},
      {0x1, 0, 'S'},
      {0x2001, 0, 'S'},  // freezable
      {0x2, 0, 'D'},
      {0x102, 0, 'D'},  // killable
      {0x4, 0, 'T'},
      {0x8, 0, 't'},
      {0, 0x10, 'X'},
      {0x80, 0x20, 'Z'},  // TASK_DEAD, and a zombie
      {0x40, 0, 'P'},
      {0x402, 0, 'I'},
      {0x1000, 0, 'D'},  // waits for a lock of a real-time kernel
      {0x8000, 0, 'D'},  // frozen
      {0xffffffff, 0xffffffff, 'D'},
  }));
  INFO(std::hex << state << ' ' << exit_state);
  ProcessRecord record{};
  record.task_state = state;
  record.exit_state = exit_state;
  CHECK(bpf::state_letter(record) == letter);
}

TEST_CASE("name_of ends at the NUL, or at the end") {
  ProcessRecord record{};
  CHECK(bpf::name_of(record).empty());
  std::memcpy(record.comm, "a\0b", 3);
  CHECK(bpf::name_of(record) == "a");
  std::memset(record.comm, 'x', sizeof record.comm);
  CHECK(bpf::name_of(record) == std::string(16, 'x'));
}
