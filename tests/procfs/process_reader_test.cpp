#include "procfs/process_reader.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/fixture_host.hpp"

using metrics::Errc;
using procfs::Process;
using procfs::ProcessReader;
using procfs::ProcessWalk;

namespace {

/// A /proc of files. Its processes have neither io nor fd until they are given some.
class Proc {
 public:
  Proc& add(int pid, const std::string& comm, char state = 'S') {
    const auto folder = "proc/" + std::to_string(pid);
    tree_.write(folder + "/stat", std::to_string(pid) + " (" + comm + ") " + state +
                                      " 1 1 1 0 -1 0 11 0 12 0 13 14 0 0 20 0 2 0 15 4096 1 0\n");
    tree_.write(folder + "/status", "VmRSS:\t 8 kB\nVmSwap:\t 4 kB\nThreads:\t2\n");
    return *this;
  }
  Proc& write(const std::string& name, std::string_view text) {
    tree_.write("proc/" + name, text);
    return *this;
  }
  void remove(const std::string& name) { tree_.remove("proc/" + name); }

  procfs::FileReader files() { return tests::open_mount(path()); }
  std::filesystem::path path() { return tree_.path() / "proc"; }

 private:
  tests::FileTree tree_;
};

const Process* find(const ProcessWalk& walk, std::int32_t pid) {
  const auto found = std::find_if(walk.processes.begin(), walk.processes.end(),
                                  [pid](const auto& process) { return process.stat.pid == pid; });
  return found == walk.processes.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("the pids are the numeric names of /proc, ascending") {
  Proc proc;
  for (const auto* name : {"30", "4", "100", "0", "-7", "7x", "x7", "self", "99999999999"}) {
    proc.write(std::string(name) + "/stat", "");
  }
  auto files = proc.files();
  std::vector<std::int32_t> pids = {1};
  REQUIRE(ProcessReader(files).list(pids));
  CHECK(pids == std::vector<std::int32_t>{4, 30, 100});
}

TEST_CASE("a process is read from all its files") {
  Proc proc;
  proc.add(7, "train").write("7/io", "read_bytes: 21\nwrite_bytes: 22\n");
  for (const auto* descriptor : {"0", "1", "2"}) proc.write(std::string("7/fd/") + descriptor, "");
  auto files = proc.files();
  const auto process = ProcessReader(files).read(7);
  REQUIRE(process);
  CHECK(process->stat.comm == "train");
  CHECK(process->stat.user_ticks == 13);
  CHECK(process->status.resident_bytes == 8192);
  CHECK(process->status.swapped_bytes == 4096);
  REQUIRE(process->io);
  CHECK(process->io->read_bytes == 21);
  CHECK(process->io->write_bytes == 22);
  CHECK(process->open_files == 3);
}

TEST_CASE("a process is there without the files that this kernel lacks") {
  Proc proc;
  proc.add(7, "train");
  auto files = proc.files();
  const auto process = ProcessReader(files).read(7);
  REQUIRE(process);
  CHECK_FALSE(process->io);
  CHECK_FALSE(process->open_files);
}

TEST_CASE("a process is there without the files that we may not read") {
  Proc proc;
  proc.add(7, "train").write("7/io", "read_bytes: 21\nwrite_bytes: 22\n").write("7/fd/0", "");
  std::filesystem::permissions(proc.path() / "7/io", std::filesystem::perms::none);
  std::filesystem::permissions(proc.path() / "7/fd", std::filesystem::perms::none);
  auto files = proc.files();
  CHECK(tests::holds_without_privilege([&] {
    const auto process = ProcessReader(files).read(7);
    return process && !process->io && !process->open_files;
  }));
  std::filesystem::permissions(proc.path() / "7/fd", std::filesystem::perms::owner_all);
}

TEST_CASE("a process that is vanishing is gone, and whole") {
  Proc proc;
  proc.add(7, "train");
  SECTION("nothing is left") { proc.remove("7"); }
  SECTION("stat is gone") { proc.remove("7/stat"); }
  SECTION("status is gone") { proc.remove("7/status"); }
  SECTION("it is being reaped, and reads as zeros") { proc.add(7, "train", 'X'); }
  auto files = proc.files();
  const auto process = ProcessReader(files).read(7);
  REQUIRE_FALSE(process);
  CHECK(process.error().code == Errc::gone);
}

TEST_CASE("a damaged file of a process is malformed") {
  Proc proc;
  proc.add(7, "train").write("7/io", "read_bytes: 21\nwrite_bytes: 22\n");
  const std::string name = GENERATE("7/stat", "7/status", "7/io");
  INFO(name);
  proc.write(name, "7 (tr");
  auto files = proc.files();
  const auto process = ProcessReader(files).read(7);
  REQUIRE_FALSE(process);
  CHECK(process.error().code == Errc::malformed);
}

TEST_CASE("a walk goes past processes it cannot read, and counts them") {
  Proc proc;
  proc.add(1, "init").add(2, "damaged").add(3, "secret").add(4, "train");
  proc.write("2/stat", "2 (dam").write("5/stat/is/a", "folder").write("6/nothing", "");
  std::filesystem::permissions(proc.path() / "3/stat", std::filesystem::perms::none);
  auto files = proc.files();
  CHECK(tests::holds_without_privilege([&] {
    ProcessWalk walk;
    return ProcessReader(files).walk(walk) && walk.processes.size() == 2 && find(walk, 1) &&
           find(walk, 4) && walk.unread == std::vector<std::int32_t>{2, 3, 5, 6} &&
           walk.malformed == 1 && walk.denied == 1 && walk.failed == 1 && walk.beyond_limit == 0;
  }));
}

TEST_CASE("a walk that leaves nothing to hand on fails") {
  Proc proc;
  auto files = proc.files();
  ProcessWalk walk;
  SECTION("no process") {
    const auto walked = ProcessReader(files).walk(walk);
    REQUIRE_FALSE(walked);
    CHECK(walked.error().code == Errc::unsupported);
  }
  SECTION("only damaged ones") {
    proc.write("1/nothing", "").write("2/stat", "2 (dam").write("3/stat", "");
    const auto walked = ProcessReader(files).walk(walk);
    REQUIRE_FALSE(walked);
    CHECK(walked.error().code == Errc::malformed);
    CHECK_THAT(walked.error().detail, Catch::Contains("2 (dam"));
  }
}

TEST_CASE("a walk stops at its limit, says so, and starts anew each time") {
  Proc proc;
  proc.add(1, "init").add(2, "a").add(3, "b").add(4, "c");
  auto files = proc.files();
  ProcessReader reader(files, 2);
  ProcessWalk walk;
  REQUIRE(reader.walk(walk));
  CHECK(walk.processes.size() == 2);
  CHECK(walk.beyond_limit == 2);
  CHECK(walk.unread == std::vector<std::int32_t>{3, 4});

  proc.remove("1");
  proc.remove("2");
  REQUIRE(reader.walk(walk));
  CHECK(walk.processes.size() == 2);
  CHECK(find(walk, 3) != nullptr);
  CHECK(walk.beyond_limit == 0);
  CHECK(walk.unread.empty());
}

TEST_CASE("our own process reads as getrusage says", "[live]") {
  auto files = tests::open_mount("/proc");
  rusage before{};
  rusage after{};
  ::getrusage(RUSAGE_SELF, &before);
  const auto process = ProcessReader(files).read(::getpid());
  ::getrusage(RUSAGE_SELF, &after);
  REQUIRE(process);

  const auto between = [](std::uint64_t value, long low, long high) {
    return value >= static_cast<std::uint64_t>(low) && value <= static_cast<std::uint64_t>(high);
  };
  const auto tick_rate = ::sysconf(_SC_CLK_TCK);
  const auto ticks = [tick_rate](const timeval& time) {
    return time.tv_sec * tick_rate + time.tv_usec * tick_rate / 1'000'000;
  };
  const auto& stat = process->stat;
  CHECK(stat.pid == ::getpid());
  CHECK(stat.parent_pid == ::getppid());
  CHECK(stat.state == 'R');
  CHECK(stat.threads >= 1);
  CHECK(between(stat.minor_faults, before.ru_minflt, after.ru_minflt));
  CHECK(between(stat.major_faults, before.ru_majflt, after.ru_majflt));
  CHECK(between(stat.user_ticks, ticks(before.ru_utime), ticks(after.ru_utime)));
  CHECK(between(stat.system_ticks, ticks(before.ru_stime), ticks(after.ru_stime)));
  CHECK(process->status.resident_bytes > 0);
  CHECK(stat.virtual_bytes >= process->status.resident_bytes);

  timespec uptime{};
  ::clock_gettime(CLOCK_BOOTTIME, &uptime);
  CHECK(between(stat.start_time_ticks, 1, (uptime.tv_sec + 1) * tick_rate));

  if (process->io) {  // a kernel may be built without it
    constexpr std::uint64_t kBlockBytes = 512;
    CHECK(between(process->io->read_bytes / kBlockBytes, before.ru_inblock, after.ru_inblock));
    CHECK(between(process->io->write_bytes / kBlockBytes, before.ru_oublock, after.ru_oublock));
  }
}

TEST_CASE("open files are counted exactly", "[live]") {
  auto files = tests::open_mount("/proc");
  ProcessReader reader(files);
  const auto open_a_pipe = [] {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) ::_exit(1);
  };
  const tests::Child few([] {}, [] { ::pause(); });
  const tests::Child more(open_a_pipe, [] { ::pause(); });
  const auto few_read = reader.read(few.pid());
  const auto more_read = reader.read(more.pid());
  const auto listed = files.count((std::to_string(few.pid()) + "/fd").c_str());
  REQUIRE((few_read && more_read && listed));
  CHECK(few_read->open_files == *listed);
  CHECK(more_read->open_files == *listed + 2);
}

TEST_CASE("a child that ends between listing and reading is gone", "[live]") {
  auto files = tests::open_mount("/proc");
  ProcessReader reader(files);
  tests::Child child("ephemeral");
  std::vector<std::int32_t> pids;
  REQUIRE(reader.list(pids));
  REQUIRE_THAT(pids, Catch::VectorContains(child.pid()));

  child.kill();
  const auto zombie = reader.read(child.pid());
  REQUIRE(zombie);
  CHECK(zombie->stat.state == 'Z');
  CHECK(zombie->stat.comm == "ephemeral");
  CHECK(zombie->status.resident_bytes == 0);

  child.reap();
  const auto vanished = reader.read(child.pid());
  REQUIRE_FALSE(vanished);
  CHECK(vanished.error().code == Errc::gone);
}

TEST_CASE("a process that vanishes between two of its files is not half there", "[live]") {
  auto files = tests::open_mount("/proc");
  ProcessReader reader(files);
  const auto own = reader.read(::getpid());
  REQUIRE(own);
  const bool zombies_have_io = own->io && ::geteuid() == 0;  // others are denied theirs
  const auto handler = ::signal(SIGCHLD, SIG_IGN);  // so that children vanish by themselves
  int half = 0;
  for (int i = 0; i < 100; ++i) {
    const auto child = ::fork();
    if (child == 0) ::_exit(0);
    auto process = reader.read(child);
    for (; process; process = reader.read(child)) {
      if (zombies_have_io && !process->io) ++half;
    }
    CHECK(process.error().code == Errc::gone);
  }
  ::signal(SIGCHLD, handler);
  CHECK(half == 0);
}

TEST_CASE("processes that vanish in mid-walk are not trouble", "[live]") {
  auto files = tests::open_mount("/proc");
  ProcessReader reader(files);
  const auto fork_once = [] {
    const auto child = ::fork();
    if (child == 0) ::_exit(0);
    ::waitpid(child, nullptr, 0);
  };
  const tests::Child churn([] {}, fork_once);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  ProcessWalk walk;
  int vanished = 0;
  while (vanished < 20 && std::chrono::steady_clock::now() < deadline) {
    REQUIRE(reader.walk(walk));
    REQUIRE(walk.malformed + walk.failed + walk.beyond_limit == 0);
    REQUIRE(find(walk, ::getpid()) != nullptr);
    REQUIRE(find(walk, churn.pid()) != nullptr);
    if (walk.unread.size() > walk.denied) ++vanished;
  }
  CHECK(vanished == 20);
}
