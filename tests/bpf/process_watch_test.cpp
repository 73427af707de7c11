#include "bpf/process_watch.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <list>
#include <map>
#include <set>
#include <sstream>
#include <string>

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
