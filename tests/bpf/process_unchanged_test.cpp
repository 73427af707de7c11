// Records that a walk does not make again, as their process did not run.
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

#include "bpf/process_values.hpp"
#include "tests/support/child.hpp"
#include "tests/support/process_watch.hpp"

using bpf::Detail;
using tests::find_process;
using tests::open_watch;

namespace {

std::optional<ProcessRecord> record_of(bpf::ProcessWatch& watch, pid_t pid,
                                       Detail detail = Detail::counters) {
  const auto records = watch.walk(detail);
  REQUIRE(records);
  const auto* const record = find_process(*records, pid);
  return record == nullptr ? std::nullopt : std::optional(*record);
}

bool is_unchanged(const std::optional<ProcessRecord>& record) {
  return record && (record->flags & PROCESS_IS_UNCHANGED) != 0;
}

/// Until the walks had it twice in the same place, asleep. The table may shift meanwhile: others
/// come and go.
bool comes_to_rest(bpf::ProcessWatch& watch, pid_t pid) {
  return tests::comes_true([&] { return is_unchanged(record_of(watch, pid)); });
}

/// It takes the next name at each signal.
class Renamed {
 public:
  Renamed() : child_([] { ::signal(SIGUSR1, [](int) { take_next_name(); }); }, [] { ::pause(); }) {}
  [[nodiscard]] pid_t pid() const { return child_.pid(); }

  /// Its new name, once it has it and sleeps again.
  std::string wake() {
    const std::string name{'w', 'o', 'k', 'e', 'n', ++letter_};
    ::kill(pid(), SIGUSR1);
    REQUIRE(tests::comes_true([&] {
      std::string stat;
      std::getline(std::ifstream("/proc/" + std::to_string(pid()) + "/stat"), stat);
      return stat.find("(" + name + ") S ") != std::string::npos;
    }));
    return name;
  }

 private:
  static void take_next_name() {
    static char name[] = "woken@";
    ++name[sizeof name - 2];
    ::prctl(PR_SET_NAME, name);
  }

  char letter_ = '@';
  tests::Child child_;
};

}  // namespace

TEST_CASE("A process that sleeps keeps its record, whole") {
  auto watch = open_watch();
  if (!watch) return;
  const tests::Child child("resting");
  const auto read = record_of(*watch, child.pid());
  REQUIRE(read);
  REQUIRE(comes_to_rest(*watch, child.pid()));
  const auto kept = record_of(*watch, child.pid());
  REQUIRE(kept);
  CHECK(bpf::name_of(*kept) == "resting");
  CHECK(kept->start_boottime_ns == read->start_boottime_ns);
  CHECK(kept->counters.minor_faults >= read->counters.minor_faults);
  CHECK((kept->flags & PROCESS_HAS_MEMORY) != 0);
  CHECK(kept->resident_anonymous_pages > 0);
}

TEST_CASE("A process that ran has a new record, however shortly it ran") {
  auto watch = open_watch();
  if (!watch) return;
  Renamed child;
  std::uint64_t run_time_ns = 0;
  for (int round = 0; round < 20; ++round) {
    REQUIRE(comes_to_rest(*watch, child.pid()));
    const auto name = child.wake();
    const auto record = record_of(*watch, child.pid());
    REQUIRE(record);
    CHECK(bpf::name_of(*record) == name);
    CHECK(record->counters.run_time_ns > run_time_ns);
    run_time_ns = record->counters.run_time_ns;
  }
}

TEST_CASE("A zombie has a record of its end") {
  auto watch = open_watch();
  if (!watch) return;
  tests::Child child("zombie");
  REQUIRE(comes_to_rest(*watch, child.pid()));
  child.kill();
  REQUIRE(tests::comes_true([&] {
    const auto record = record_of(*watch, child.pid());
    return record && bpf::state_letter(*record) == 'Z';
  }));
}

TEST_CASE("Who asks runs, and a complete walk reads everyone") {
  auto watch = open_watch();
  if (!watch) return;
  const tests::Child child("resting");
  REQUIRE(comes_to_rest(*watch, child.pid()));
  for (int walk = 0; walk < 20; ++walk) CHECK_FALSE(is_unchanged(record_of(*watch, ::getpid())));
  const auto complete = record_of(*watch, child.pid(), Detail::complete);
  CHECK_FALSE(is_unchanged(complete));
  CHECK((complete->flags & PROCESS_HAS_FILES) != 0);
}

TEST_CASE("A record is not kept for ever") {
  auto watch = open_watch();
  if (!watch) return;
  const tests::Child child("resting");
  REQUIRE(comes_to_rest(*watch, child.pid()));
  int in_a_row = 0;
  int longest = 0;
  for (int walk = 0; walk < 400; ++walk) {
    in_a_row = is_unchanged(record_of(*watch, child.pid())) ? in_a_row + 1 : 0;
    longest = std::max(longest, in_a_row);
  }
  CHECK(longest <= 9);
}

TEST_CASE("Where the table is too small for a place for each, no record is kept") {
  auto watch = open_watch({.table_records = 7});
  if (!watch) return;
  const tests::Child child("resting");
  REQUIRE(tests::comes_true([&] {
    const auto record = record_of(*watch, child.pid());
    return record && bpf::state_letter(*record) == 'S';
  }));
  for (int walk = 0; walk < 40; ++walk) CHECK_FALSE(is_unchanged(record_of(*watch, child.pid())));
}
