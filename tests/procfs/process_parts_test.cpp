// The parts of a process that ProcessReader reads one by one, and its threads.
#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): pthread_kill
#include <sys/resource.h>
#include <sys/syscall.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "procfs/process_reader.hpp"
#include "tests/support/child.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/fixture_host.hpp"

using metrics::Errc;
using procfs::ProcessReader;

namespace {

/// The error of each part of a process.
std::vector<Errc> errors(ProcessReader& reader, std::int32_t pid) {
  std::vector<Errc> codes;
  const auto add = [&codes](const auto& part) {
    if (!part) codes.push_back(part.error().code);
  };
  add(reader.read_cmdline(pid));
  add(reader.read_cgroups(pid));
  add(reader.read_limits(pid));
  add(reader.read_smaps_rollup(pid));
  add(reader.read_threads(pid));
  return codes;
}
constexpr std::size_t kParts = 5;

constexpr auto kLineBytes = ProcessReader::kMaxCommandLineBytes;

void write_thread(tests::FileTree& tree, int tid, const std::string& comm) {
  const auto folder = "proc/7/task/" + std::to_string(tid);
  tree.write(folder + "/stat", std::to_string(tid) + " (" + comm +
                                   ") S 1 1 1 0 -1 0 11 0 12 0 13 14 0 0 20 0 2 0 15 4096 1 0\n");
  tree.write(folder + "/status",
             "Threads:\t2\nvoluntary_ctxt_switches:\t31\nnonvoluntary_ctxt_switches:\t32\n");
}

}  // namespace

TEST_CASE("the parts of a process are read from its files") {
  using namespace std::string_literals;
  tests::FileTree tree;
  tree.write("proc/7/cmdline", "train\0--fast\0"s).write("proc/7/cgroup", "0::/train.service\n");
  tree.write("proc/7/limits", "Max open files   1024 4096 files\n");
  tree.write("proc/7/smaps_rollup", "Pss: 3 kB\nSwapPss: 1 kB\n");
  auto files = tests::open_mount(tree.path() / "proc");
  ProcessReader reader(files);
  CHECK(*reader.read_cmdline(7) == tests::command_line_of({"train", "--fast"}));
  CHECK(*reader.read_cgroups(7) == std::vector<procfs::ProcessCgroup>{{"", "/train.service"}});
  CHECK(reader.read_limits(7)->open_files == 1024);
  CHECK(reader.read_smaps_rollup(7)->proportional_bytes == 3072);
}

TEST_CASE("a part that a process does not have is unsupported, that of no process is gone") {
  tests::FileTree tree;
  tree.write("proc/7/nothing", "");
  auto files = tests::open_mount(tree.path() / "proc");
  ProcessReader reader(files);
  CHECK(errors(reader, 7) == std::vector<Errc>(kParts, Errc::unsupported));
  CHECK(errors(reader, 8) == std::vector<Errc>(kParts, Errc::gone));
  CHECK(errors(reader, std::numeric_limits<std::int32_t>::max()) ==
        std::vector<Errc>(kParts, Errc::gone));
}

TEST_CASE("a command line is read no further than its limit") {
  const auto length =
      GENERATE(as<std::size_t>{}, kLineBytes - 1, kLineBytes, kLineBytes + 1, 1'000'000);
  tests::FileTree tree;
  tree.write("proc/7/cmdline", std::string(length, 'x'));
  auto files = tests::open_mount(tree.path() / "proc");
  const auto cmdline = ProcessReader(files).read_cmdline(7);
  REQUIRE(cmdline);
  CHECK(cmdline->find('\0') == std::min(length, kLineBytes));
  CHECK(cmdline->size() == std::min(length, kLineBytes) + 1);
}

TEST_CASE("the threads of a process are read from all their files") {
  tests::FileTree tree;
  write_thread(tree, 7, "train");
  write_thread(tree, 11, ") loader");
  tree.write("proc/7/task/11/io", "read_bytes: 21\nwrite_bytes: 22\n");
  tree.write("proc/7/task/11/wchan", "futex_wait").write("proc/7/task/7/wchan", "0");
  auto files = tests::open_mount(tree.path() / "proc");
  const auto read = ProcessReader(files).read_threads(7);
  REQUIRE(read);
  CHECK(read->beyond_limit == 0);
  REQUIRE(read->threads.size() == 2);
  const auto& main = read->threads[0];
  CHECK(main.tid == 7);
  CHECK(main.stat.comm == "train");
  CHECK_FALSE(main.io);
  CHECK_FALSE(main.wait_channel);
  const auto& loader = read->threads[1];
  CHECK(loader.tid == 11);
  CHECK(loader.stat.comm == ") loader");
  CHECK(loader.stat.user_ticks == 13);
  CHECK(loader.stat.minor_faults == 11);
  CHECK(loader.voluntary_switches == 31);
  CHECK(loader.nonvoluntary_switches == 32);
  REQUIRE(loader.io);
  CHECK(loader.io->write_bytes == 22);
  CHECK(loader.wait_channel == "futex_wait");
  tree.write("proc/7/wchan", "do_wait").write("proc/8/wchan", "0");
  CHECK(*ProcessReader(files).read_wait_channel(7) == "do_wait");
  CHECK(ProcessReader(files).read_wait_channel(8).error().code == Errc::unsupported);
}

TEST_CASE("threads that vanish are left out, and those beyond the limit counted") {
  tests::FileTree tree;
  for (const int tid : {7, 8, 9, 10}) write_thread(tree, tid, "x");
  tree.remove("proc/7/task/8/status");
  auto files = tests::open_mount(tree.path() / "proc");
  ProcessReader reader(files);
  const auto read = reader.read_threads(7, 3);
  REQUIRE(read);
  CHECK(read->threads.size() == 2);
  CHECK(read->beyond_limit == 1);

  // One that is being reaped reads as zeros.
  tree.write("proc/7/task/10/stat", "10 (x) X 0 0 0 0 -1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
  CHECK(reader.read_threads(7)->threads.size() == 2);

  tree.write("proc/7/task/9/stat", "9 (dam");
  const auto damaged = reader.read_threads(7);
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().code == Errc::malformed);
}

TEST_CASE("our own parts are what we know of ourselves", "[live]") {
  auto files = tests::open_mount("/proc");
  ProcessReader reader(files);
  const auto pid = ::getpid();
  const auto cmdline = reader.read_cmdline(pid);
  REQUIRE(cmdline);
  CHECK_THAT(cmdline->substr(0, cmdline->find('\0')), Catch::Contains("procfs_tests"));
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const auto limits = reader.read_limits(pid);
  REQUIRE(limits);
  CHECK(limits->open_files == limit.rlim_cur);
  const auto cgroup = reader.read_cgroups(pid);
  CHECK((cgroup || cgroup.error().code == Errc::unsupported));
  const auto process = reader.read(pid);
  REQUIRE(process);
  CHECK(process->status.uid == ::getuid());
  CHECK(process->status.peak_resident_bytes.value_or(0) >= process->status.resident_bytes);
  CHECK_FALSE(process->stat.is_kernel_thread);
  if (const auto rollup = reader.read_smaps_rollup(pid)) {  // a kernel may be built without it
    CHECK(rollup->proportional_bytes > 0);
  } else {
    CHECK(rollup.error().code == Errc::unsupported);
  }
}

TEST_CASE("a zombie has no arguments and no memory, but is not gone", "[live]") {
  auto files = tests::open_mount("/proc");
  ProcessReader reader(files);
  tests::Child child("ephemeral");
  child.kill();
  CHECK(reader.read_cmdline(child.pid())->empty());
  CHECK(reader.read_smaps_rollup(child.pid()).error().code == Errc::unsupported);
  CHECK(reader.read_threads(child.pid())->threads.size() == 1);
  child.reap();
  CHECK(errors(reader, child.pid()) == std::vector<Errc>(kParts, Errc::gone));
}

TEST_CASE("the threads of a child are there by name", "[live]") {
  const tests::Child child(
      [] {
        const auto begin = [](void*) -> void* {
          for (;;) ::pause();
        };
        pthread_t thread{};
        ::pthread_create(&thread, nullptr, begin, nullptr);
        ::pthread_setname_np(thread, "loader");
      },
      [] { ::pause(); });
  auto files = tests::open_mount("/proc");
  const auto read = ProcessReader(files).read_threads(child.pid());
  REQUIRE(read);
  CHECK(std::count_if(read->threads.begin(), read->threads.end(), [](const auto& thread) {
          return thread.stat.comm == "loader" && thread.stat.pid == thread.tid &&
                 thread.voluntary_switches;
        }) == 1);
  CHECK(read->threads.front().tid == child.pid());
}

TEST_CASE("what a child used is its parent's once it is waited for", "[live]") {
  auto files = tests::open_mount("/proc");
  ProcessReader reader(files);
  const auto before = reader.read(::getpid());
  tests::Child child([] { const std::vector<char> touched(1U << 22U, 'x'); }, [] { ::pause(); });
  child.kill();
  const auto last = reader.read(child.pid());
  child.reap();
  const auto after = reader.read(::getpid());
  REQUIRE((before && last && after));
  CHECK(after->stat.children_minor_faults - before->stat.children_minor_faults ==
        last->stat.minor_faults);
  CHECK(after->stat.children_user_ticks >= before->stat.children_user_ticks);
}
