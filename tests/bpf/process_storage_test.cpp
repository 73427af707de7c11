// The storage traffic of a process, which the kernel adds to the parent that waits for it.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): signal
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <new>
#include <sstream>
#include <vector>

#include "procfs/process.hpp"
#include "tests/support/child.hpp"
#include "tests/support/process_watch.hpp"

using bpf::Detail;
using tests::Drained;
using tests::find_process;
using tests::open_watch;
using tests::run_in_child;

namespace {

constexpr std::size_t kOwnBytes = 1U << 16U;
constexpr std::size_t kChildsBytes = 1U << 18U;

void write_to_storage(std::size_t bytes) {
  const std::vector<char> block(bytes, 'x');
  const int file = ::open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (::write(file, block.data(), bytes) != static_cast<ssize_t>(bytes)) ::_exit(1);
  ::close(file);
}

/// As /proc has it. A file system may add blocks of its own to what is written.
std::uint64_t written_by_self() {
  std::ostringstream text;
  text << std::ifstream("/proc/self/io").rdbuf();
  const auto io = procfs::parse_process_io(text.str());
  return io ? io->write_bytes : 0;
}

struct Written {
  std::uint64_t by_parent = 0;
  std::uint64_t by_child = 0;
};

/// What a parent and its child say of themselves before the child ends.
Written& shared_written() {
  void* const memory =
      ::mmap(nullptr, sizeof(Written), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  return *new (memory) Written;
}

/// Of a process that wrote itself, had a child that wrote more, and waited for it.
void write_and_wait(Written& written) {
  write_to_storage(kOwnBytes);
  written.by_parent = written_by_self();
  const auto child = ::fork();
  if (child == 0) {
    write_to_storage(kChildsBytes);
    written.by_child = written_by_self();
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);  // Fails where nobody has to wait, and no earlier than the end.
}

}  // namespace

TEST_CASE("A walk has what a child wrote not in its parent") {
  auto watch = open_watch();
  if (!watch) return;
  if (!watch->has_storage_bytes()) return;
  auto& written = shared_written();
  const tests::Child parent([&] { write_and_wait(written); }, [] { ::pause(); });
  const auto records = watch->walk(GENERATE(Detail::counters, Detail::complete));
  REQUIRE(records);
  const auto* const record = find_process(*records, parent.pid());
  REQUIRE(record != nullptr);
  CHECK(record->counters.write_bytes >= kOwnBytes);
  CHECK(record->counters.write_bytes == written.by_parent);
}

TEST_CASE("Each exit has what that process wrote, and no other") {
  auto watch = open_watch();
  if (!watch) return;
  if (!watch->has_storage_bytes()) return;
  auto& written = shared_written();
  const auto parent = run_in_child([&] { write_and_wait(written); });
  Drained drained;
  const auto* const record = drained.await(*watch, parent.pid);
  REQUIRE(record != nullptr);
  CHECK(record->counters.write_bytes == written.by_parent);
  std::uint64_t of_children = 0;
  for (const auto& other : drained.records) {
    if (other.parent_pid == record->pid) of_children += other.counters.write_bytes;
  }
  CHECK(of_children >= kChildsBytes);
  CHECK(of_children == written.by_child);
}

TEST_CASE("A parent that need not wait for a child has nothing of it taken off") {
  auto watch = open_watch();
  if (!watch) return;
  if (!watch->has_storage_bytes()) return;
  auto& written = shared_written();
  const tests::Child parent(
      [&] {
        // What a thread leaves behind is where the kernel would add the child's.
        pthread_t thread{};
        const auto body = [](void*) -> void* { return write_to_storage(kOwnBytes), nullptr; };
        ::pthread_create(&thread, nullptr, body, nullptr);
        ::pthread_join(thread, nullptr);
        ::signal(SIGCHLD, SIG_IGN);
        write_and_wait(written);
      },
      [] { ::pause(); });
  const auto records = watch->walk(Detail::complete);
  REQUIRE(records);
  const auto* const record = find_process(*records, parent.pid());
  REQUIRE(record != nullptr);
  CHECK(record->counters.write_bytes == written.by_parent);
}
