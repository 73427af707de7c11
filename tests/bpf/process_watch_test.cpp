#include "bpf/process_watch.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <list>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "bpf/process_values.hpp"
#include "procfs/process.hpp"
#include "tests/support/child.hpp"
#include "tests/support/process_watch.hpp"

using bpf::Detail;
using tests::find_process;
using tests::open_watch;

namespace {

std::string file_text(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::set<pid_t> listed_processes() {
  std::set<pid_t> pids;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") == std::string::npos) pids.insert(std::stoi(name));
  }
  return pids;
}

/// Becomes another program, of the same name, when there is something to read.
void* exec_when_told(void*) {
  char byte = 0;
  if (::read(STDIN_FILENO, &byte, 1) == 1) ::execl("/bin/cat", "cat", nullptr);
  ::_exit(1);
}

std::uint32_t execs_in_walk(bpf::ProcessWatch& watch, pid_t pid) {
  const auto records = watch.walk(Detail::counters);
  REQUIRE(records);
  const auto* const record = find_process(*records, pid);
  REQUIRE(record != nullptr);
  CHECK(bpf::name_of(*record) == "cat");
  return record->execs;
}

}  // namespace

TEST_CASE("A walk knows who this process is") {
  auto watch = open_watch();
  if (!watch) return;
  const auto detail = GENERATE(Detail::counters, Detail::complete);
  const auto records = watch->walk(detail);
  REQUIRE(records);
  const auto* const self = find_process(*records, ::getpid());
  REQUIRE(self != nullptr);
  const auto stat = procfs::parse_process_stat(file_text("/proc/self/stat"));
  REQUIRE(stat);
  const auto tick_ns = 1'000'000'000U / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  CHECK(self->start_boottime_ns / tick_ns == stat->start_time_ticks);
  CHECK(bpf::name_of(*self) == stat->comm);
  CHECK(self->parent_pid == static_cast<std::uint32_t>(::getppid()));
  CHECK(self->user_id == ::getuid());
  CHECK(self->threads == stat->threads);
  CHECK(bpf::state_letter(*self) == 'R');
  CHECK_FALSE(bpf::is_kernel_thread(*self));
  CHECK((self->flags & PROCESS_HAS_MEMORY) != 0);
  CHECK((self->flags & PROCESS_SUMS_ARE_TORN) == 0);
}

TEST_CASE("Names come as they are, whatever bytes they have") {
  auto watch = open_watch();
  if (!watch) return;
  const std::string comm = GENERATE(") R 1 (", "two\nlines", "\xff\xfe\x01\x1b[2J", "caf\xc3",
                                    "\"{}\\", "123456789012345");
  const tests::Child child(comm);
  const auto records = watch->walk(Detail::counters);
  REQUIRE(records);
  const auto* const record = find_process(*records, child.pid());
  REQUIRE(record != nullptr);
  CHECK(bpf::name_of(*record) == comm);
}

TEST_CASE("An exec shows, under the same name and from another thread too") {
  auto watch = open_watch();
  if (!watch) return;
  const bool is_other_thread = GENERATE(false, true);
  INFO(is_other_thread);
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  const tests::Child child(
      [&] {
        ::prctl(PR_SET_NAME, "cat");
        ::dup2(pipe[0], STDIN_FILENO);
      },
      [&] {
        pthread_t thread{};
        if (is_other_thread) ::pthread_create(&thread, nullptr, exec_when_told, nullptr);
        if (is_other_thread) ::pause();
        exec_when_told(nullptr);
      });
  const auto before = execs_in_walk(*watch, child.pid());
  CHECK(execs_in_walk(*watch, child.pid()) == before);
  REQUIRE(::write(pipe[1], "!", 1) == 1);
  CHECK(tests::comes_true([&] { return execs_in_walk(*watch, child.pid()) == before + 1; }));
  CHECK(execs_in_walk(*watch, child.pid()) == before + 1);
  ::close(pipe[0]);
  ::close(pipe[1]);
  ::waitpid(child.pid(), nullptr, 0);
  tests::Drained drained;
  const auto* const record = drained.await(*watch, child.pid());
  REQUIRE(record != nullptr);
  CHECK(record->execs == before + 1);
}

TEST_CASE("A walk has everyone once, however small the table") {
  const auto records_in_table = GENERATE(0U, 1U, 7U, 50U);
  INFO(records_in_table);
  auto watch = open_watch({.table_records = records_in_table});
  if (!watch) return;
  const auto before = listed_processes();
  const auto records = watch->walk(GENERATE(Detail::counters, Detail::complete));
  REQUIRE(records);
  const auto after = listed_processes();
  std::map<pid_t, int> times_seen;
  for (const auto& record : *records) ++times_seen[static_cast<pid_t>(record.pid)];
  for (const auto& [pid, times] : times_seen) {
    INFO(pid);
    CHECK(pid > 0);
    CHECK(times == 1);
  }
  for (const auto pid : before) {
    if (!after.contains(pid) || pid == 1) continue;  // Some hosts hide pid 1 from BPF.
    INFO(pid);
    CHECK(times_seen[pid] == 1);
  }
}

TEST_CASE("Beyond its limit a walk leaves out the same processes each time, and says how many") {
  const auto records_in_table = GENERATE(0U, 8U);
  auto watch = open_watch({.table_records = records_in_table, .max_processes = 20});
  if (!watch) return;
  std::list<tests::Child> children;
  for (int child = 0; child < 40; ++child) children.emplace_back("many");
  const auto pids_of = [&] {
    const auto records = watch->walk(Detail::counters);
    REQUIRE(records);
    CHECK(records->size() == 20);
    CHECK(watch->left_out() >= 20);
    std::set<std::uint32_t> pids;
    for (const auto& record : *records) pids.insert(record.pid);
    return pids;
  };
  const auto first = pids_of();
  const auto second = pids_of();
  std::vector<std::uint32_t> both;
  std::ranges::set_intersection(first, second, std::back_inserter(both));
  CHECK(both.size() >= 15);  // Others come and go.
}

TEST_CASE("The mapped part of the table grows with the processes") {
  auto watch = open_watch({.table_records = 4096});
  if (!watch) return;
  const auto few = watch->walk(Detail::counters);
  REQUIRE(few);
  const auto count = few->size();
  std::list<tests::Child> children;
  for (int child = 0; child < 60; ++child) {
    children.emplace_back("many");
  }
  const auto many = watch->walk(Detail::counters);
  REQUIRE(many);
  CHECK(many->size() + 30 >= count + children.size());
  for (const auto& child : children) CHECK(find_process(*many, child.pid()) != nullptr);
}

TEST_CASE("An open watch works without any privilege") {
  if (!open_watch()) return;
  const auto works = tests::holds_without_privilege([] { return true; });
  REQUIRE(works);
  const auto pid = ::fork();
  if (pid == 0) {
    auto watch = bpf::ProcessWatch::open({.table_records = 16});
    constexpr uid_t kNobody = 65534;
    if (!watch || ::setresuid(kNobody, kNobody, kNobody) != 0) ::_exit(1);
    if (bpf::ProcessWatch::open({})) ::_exit(2);  // The privilege is truly gone.
    const auto records = watch->walk(Detail::complete);
    if (!records || find_process(*records, ::getpid()) == nullptr) ::_exit(3);
    const auto child = ::fork();
    if (child == 0) ::_exit(0);
    ::waitpid(child, nullptr, 0);
    tests::Drained drained;
    ::_exit(drained.await(*watch, child) != nullptr ? 0 : 4);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("Without privilege, open says that it was denied and prints nothing") {
  if (!open_watch()) return;
  CHECK(tests::holds_without_privilege([] {
    const auto watch = bpf::ProcessWatch::open({});
    return !watch && watch.error().code == metrics::Errc::denied && !watch.error().detail.empty();
  }));
}
