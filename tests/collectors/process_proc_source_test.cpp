// What is read of /proc in samples and for pages, by what shows of files that change meanwhile.
#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>

#include "collectors/process/source.hpp"
#include "tests/support/fixture_host.hpp"

using collectors::Count;
using collectors::ProcessSample;
using collectors::WalkFor;
using tests::at_second;

namespace {

struct Numbers {
  int user_ticks = 0;
  int children_ticks = 0;
  int read_bytes = 0;
  int resident_kilobytes = 8;
};

class ProcHost {
 public:
  ProcHost& add(int pid, const std::string& comm, Numbers numbers, int start_ticks = 100) {
    const auto folder = "proc/" + std::to_string(pid);
    tree_.write(folder + "/stat", std::to_string(pid) + " (" + comm +
                                      ") S 1 1 1 0 -1 0 11 0 12 0 " +
                                      std::to_string(numbers.user_ticks) + " 0 " +
                                      std::to_string(numbers.children_ticks) + " 0 20 0 2 0 " +
                                      std::to_string(start_ticks) + " 65536 1 0\n");
    const auto resident = std::to_string(numbers.resident_kilobytes);
    tree_.write(folder + "/status", "Uid:\t0\t1000\t0\t0\nVmHWM:\t " + resident + " kB\nVmRSS:\t " +
                                        resident + " kB\nVmSwap:\t 4 kB\nThreads:\t2\n");
    tree_.write(folder + "/statm",
                "16 " + std::to_string(numbers.resident_kilobytes / 4) + " 0 0 0 0 0\n");
    tree_.write(folder + "/io",
                "read_bytes: " + std::to_string(numbers.read_bytes) + "\nwrite_bytes: 0\n");
    tree_.write(folder + "/fd/0", "");
    return *this;
  }
  ProcHost& damage(int pid) {
    tree_.write("proc/" + std::to_string(pid) + "/stat", "12 (");
    return *this;
  }
  ProcHost& remove(int pid) {
    tree_.remove("proc/" + std::to_string(pid));
    return *this;
  }
  ProcHost& walk(WalkFor purpose) {
    const auto walked = source().read(purpose, exits_, walk_, at_second(second_ += 100));
    REQUIRE(walked);
    return *this;
  }
  ProcHost& sample() { return walk(WalkFor::sample); }
  ProcHost& page() { return walk(WalkFor::page); }

  [[nodiscard]] const ProcessSample* find(int pid) const {
    const auto found = std::ranges::find_if(walk_.processes, [&](const ProcessSample& sample) {
      return sample.basics.identity.pid == pid;
    });
    return found == walk_.processes.end() ? nullptr : &*found;
  }
  [[nodiscard]] std::uint64_t cpu_ticks(int pid) const {
    REQUIRE(find(pid) != nullptr);
    return find(pid)->use.cpu_ns / 10'000'000;
  }
  [[nodiscard]] const std::vector<std::int32_t>& unread() const { return walk_.unread; }
  collectors::ProcessSource& source() {
    if (!source_) source_ = *collectors::open_proc_source(host_.host);
    return *source_;
  }

 private:
  tests::FileTree tree_;
  tests::FixtureHost host_{tree_.path()};
  std::unique_ptr<collectors::ProcessSource> source_;
  collectors::ProcessExits exits_;
  collectors::ProcessWalkResult walk_;
  double second_ = 0;
};

std::uint64_t count_of(const ProcessSample& sample, Count count) {
  return sample.use.counts[static_cast<std::size_t>(count)];
}

}  // namespace

TEST_CASE("a process that stays idle is read in ever fewer samples, and in every page") {
  ProcHost host;
  host.add(10, "train", {.user_ticks = 5}).sample().sample();
  host.add(10, "train", {.user_ticks = 6}).sample();
  CHECK(host.cpu_ticks(10) == 5);
  SECTION("its turn comes") {
    host.sample();
    CHECK(host.cpu_ticks(10) == 6);
    CHECK(host.find(10)->walks == 2);
    host.add(10, "train", {.user_ticks = 7}).sample();
    CHECK(host.cpu_ticks(10) == 7);
    CHECK(host.find(10)->walks == 1);
  }
  SECTION("somebody asks") {
    host.page();
    CHECK(host.cpu_ticks(10) == 6);
  }
}

TEST_CASE("a sample reads of memory what is resident, and the rest stays") {
  ProcHost host;
  host.add(10, "train", {.user_ticks = 5, .read_bytes = 70, .resident_kilobytes = 8}).page();
  host.add(10, "train", {.user_ticks = 6, .read_bytes = 90, .resident_kilobytes = 40}).sample();
  REQUIRE(host.find(10) != nullptr);
  CHECK(host.find(10)->memory->resident_bytes == 40 * 1024);
  CHECK(host.find(10)->memory->peak_resident_bytes == 40 * 1024);
  CHECK(host.find(10)->memory->swapped_bytes == 4 * 1024);
  CHECK(count_of(*host.find(10), Count::read_bytes) == 70);
  CHECK(host.find(10)->open_files == 1);
  host.page();
  CHECK(count_of(*host.find(10), Count::read_bytes) == 90);
}

TEST_CASE("a new process, or one with a new name, is read in full in a sample") {
  ProcHost host;
  host.add(10, "sh", {.user_ticks = 5}).page();
  host.add(10, "train", {.user_ticks = 6, .read_bytes = 9})
      .add(11, "new", {.read_bytes = 8})
      .sample();
  REQUIRE(host.find(11) != nullptr);
  CHECK(collectors::text_of(host.find(10)->basics.comm) == "train");
  CHECK(count_of(*host.find(10), Count::read_bytes) == 9);
  CHECK(count_of(*host.find(11), Count::read_bytes) == 8);
  CHECK(host.find(11)->basics.user_id == 1000);
}

TEST_CASE("a pid that came again is read at once, however idle the one before was") {
  ProcHost host;
  host.add(10, "idle", {.user_ticks = 5});
  for (int walk = 0; walk < 10; ++walk) host.sample();
  host.add(11, "keeps-the-inode", {}).remove(10).add(12, "other", {});
  host.add(10, "idle", {.user_ticks = 1}, 900).sample();
  REQUIRE(host.find(10) != nullptr);
  CHECK(host.find(10)->basics.identity.start_ticks == 900);
}

TEST_CASE("a process that has gone is in no sample, and one that cannot be read is said to be") {
  ProcHost host;
  host.add(10, "train", {}).add(11, "sh", {.user_ticks = 1}).add(12, "stays", {}).sample();
  host.remove(10).damage(11).page();
  CHECK(host.find(10) == nullptr);
  CHECK(host.find(11) == nullptr);
  CHECK(host.unread() == std::vector<std::int32_t>{11});
  CHECK(host.source().losses().malformed == 1);
  host.add(11, "sh", {.user_ticks = 2}).sample();
  CHECK(host.cpu_ticks(11) == 2);
  CHECK(host.unread().empty());
}

TEST_CASE("what nobody saw is the parent's that waited for it") {
  ProcHost host;
  host.add(1, "init", {}).add(10, "make", {.user_ticks = 5, .children_ticks = 1000}).page();
  CHECK(host.cpu_ticks(10) == 5);
  host.add(10, "make", {.user_ticks = 6, .children_ticks = 1040}).sample();
  CHECK(host.cpu_ticks(10) == 46);
  host.sample();
  CHECK(host.cpu_ticks(10) == 46);
}

TEST_CASE("samples say what they read and left out, and what it cost; pages are for free") {
  ProcHost host;
  host.add(10, "train", {});
  host.sample().sample();  // the first walk has to read all
  const auto before = host.source().sampling();
  REQUIRE(before);
  CHECK(before->budget_cores == 0.005);
  CHECK(before->readings == 1);
  CHECK(before->left_out == 0);
  CHECK(before->cpu_seconds > 0);
  CHECK(before->interval_seconds == 100);
  host.page();
  CHECK(host.source().sampling()->cpu_seconds == before->cpu_seconds);
  host.sample();
  CHECK(host.source().sampling()->left_out == 1);
}
