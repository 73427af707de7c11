// fork_storm TAG FILE: as many processes as the machine gives, of kinds that are told apart by what
// they do. FILE must be on a disk.
//
// Each kind has a parent, TAG-p-KIN, and its children call themselves TAG-KIND. A line of JSON on
// stdout tells of the kinds; from then on they are made until the first line of stdin. Then another
// one tells how many there were and what the kernel told their parents. All end with stdin.
//
// Most are made with vfork(2)'s flags and so have no memory of their own, which makes them cheap.
// A parent has only children of one kind, so that it is told their sum to the nanosecond.
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <string>

#include "tests/live/known_use.hpp"

using tests::burn;
using tests::cpu_us_of;
using tests::fail;

namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kStackBytes = 16 * kPageBytes;

struct Kind {
  const char* name = nullptr;
  int fault_pages = 0;
  int read_bytes = 0;
  int burn_us = 0;
  int stay_us = 0;   ///< Lives on for so long.
  int end = 0;       ///< An exit code, or a signal when negative.
  int at_once = 1;   ///< Several have memory of their own and live side by side.
  int pause_us = 0;  ///< Between two, so that there is room for the others.
};
constexpr std::array kKinds = {
    Kind{.name = "nothing"},
    Kind{.name = "fault", .fault_pages = 8},
    Kind{.name = "error", .end = 3},
    Kind{.name = "signal", .end = -SIGKILL},
    Kind{.name = "burn", .burn_us = 500, .pause_us = 5000},
    Kind{.name = "read", .read_bytes = kPageBytes, .pause_us = 5000},
    Kind{.name = "stay", .fault_pages = 64, .stay_us = 40'000, .end = 5, .at_once = 20},
    Kind{.name = "linger", .read_bytes = 2 * kPageBytes, .stay_us = 30'000, .at_once = 10},
};

struct Report {
  std::int64_t children = 0;
  std::int64_t cpu_us = 0;
  std::int64_t own_cpu_us = 0;
};

struct Shared {
  std::atomic<bool> is_over = false;
  std::array<Report, kKinds.size()> reports;
};

/// What a child needs to know; it may have its parent's memory.
struct Child {
  const Kind* kind = nullptr;
  const char* comm = nullptr;
  int file = -1;
  char* memory = nullptr;  ///< Of fault_pages that were never touched.
};

alignas(kPageBytes) std::array<char, kStackBytes> child_stack{};
alignas(kPageBytes) std::array<char, 2 * kPageBytes> read_buffer{};

int be_child(void* argument) {
  const auto& child = *static_cast<const Child*>(argument);
  const auto& kind = *child.kind;
  ::prctl(PR_SET_NAME, child.comm);
  for (int page = 0; page < kind.fault_pages; ++page) {
    child.memory[static_cast<std::size_t>(page) * kPageBytes] = 1;
  }
  const auto bytes = static_cast<std::size_t>(kind.read_bytes);
  if (bytes > 0 &&
      ::pread(child.file, read_buffer.data(), bytes, 0) != static_cast<ssize_t>(bytes)) {
    ::_exit(99);
  }
  if (kind.burn_us > 0) burn(kind.burn_us);
  if (kind.stay_us > 0) ::usleep(static_cast<useconds_t>(kind.stay_us));
  if (kind.end < 0) ::kill(::getpid(), -kind.end);
  ::_exit(kind.end);
}

void reap(const Kind& kind, Report& report) {
  int status = 0;
  if (::wait(&status) < 0) fail("wait");
  const auto end = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  if (end != kind.end) fail("a child ended otherwise");
  ++report.children;
}

/// Pages that nobody touched yet, for the next child alone.
void renew(const Kind& kind, char* memory) {
  if (kind.fault_pages > 0) {
    ::madvise(memory, static_cast<std::size_t>(kind.fault_pages) * kPageBytes, MADV_DONTNEED);
  }
}

/// One after the other, in the parent's memory; it waits until the child is gone.
void make_one(const Kind& kind, Child& child, Report& report) {
  renew(kind, child.memory);
  const auto pid = ::clone(be_child, child_stack.data() + child_stack.size(),
                           CLONE_VM | CLONE_VFORK | SIGCHLD, &child);
  if (pid < 0) fail("clone");
  reap(kind, report);
  if (kind.pause_us > 0) ::usleep(static_cast<useconds_t>(kind.pause_us));
}

void make_several(const Kind& kind, Child& child, Report& report, const Shared& shared) {
  int living = 0;
  while (!shared.is_over) {
    const auto pid = ::fork();
    if (pid < 0) fail("fork");
    if (pid == 0) be_child(&child);
    if (++living < kind.at_once) continue;
    reap(kind, report);
    --living;
  }
  while (living-- > 0) reap(kind, report);
}

Report be_parent(const Kind& kind, const std::string& tag, int file, const Shared& shared) {
  const auto comm = tag + "-" + kind.name;
  constexpr std::size_t kMost = 64 * kPageBytes;
  void* const memory =
      ::mmap(nullptr, kMost, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  ::madvise(memory, kMost, MADV_NOHUGEPAGE);
  Child child{&kind, comm.c_str(), file, static_cast<char*>(memory)};
  // Else it would be the first child's fault.
  for (auto& byte : child_stack) byte = 1;
  for (auto& byte : read_buffer) byte = 1;
  Report report;
  const auto own_before_us = cpu_us_of(RUSAGE_SELF);
  if (kind.at_once > 1) {
    make_several(kind, child, report, shared);
  } else {
    while (!shared.is_over) make_one(kind, child, report);
  }
  report.cpu_us = cpu_us_of(RUSAGE_CHILDREN);
  report.own_cpu_us = cpu_us_of(RUSAGE_SELF) - own_before_us;
  return report;
}

int open_file(const char* path) {
  const int file = ::open(path, O_RDWR | O_CREAT | O_DIRECT, 0600);
  if (file < 0 || ::pwrite(file, read_buffer.data(), read_buffer.size(), 0) < 0) fail(path);
  return file;
}

void print(const std::string& tag, const Shared& shared) {
  for (std::size_t index = 0; index < kKinds.size(); ++index) {
    const auto& kind = kKinds[index];
    const auto& report = shared.reports[index];
    std::printf(
        R"(%s{"parent": "%s-p-%.3s", "group": "%s-%s", "children": %lld, "cpu_seconds": %.6f, )"
        R"("own_cpu_seconds": %.6f, "faults_each": %d, "bytes_each": %d, "end": %d, )"
        R"("shares_memory": %s})",
        index == 0 ? "[" : ", ", tag.c_str(), kind.name, tag.c_str(), kind.name,
        static_cast<long long>(report.children), static_cast<double>(report.cpu_us) / 1e6,
        static_cast<double>(report.own_cpu_us) / 1e6, kind.fault_pages, kind.read_bytes, kind.end,
        kind.at_once == 1 ? "true" : "false");
  }
  std::printf("]\n");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string tag = argv[1];
  const int file = open_file(argv[2]);
  void* const memory =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  std::array<int, 2> done{};
  if (memory == MAP_FAILED || ::pipe(done.data()) != 0) fail("memory");
  auto& shared = *new (memory) Shared;
  print(tag, shared);
  for (std::size_t index = 0; index < kKinds.size(); ++index) {
    const auto pid = ::fork();
    if (pid < 0) fail("fork");
    if (pid > 0) continue;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const auto& kind = kKinds[index];
    ::prctl(PR_SET_NAME, (tag + "-p-" + std::string(kind.name, 3)).c_str());
    shared.reports[index] = be_parent(kind, tag, file, shared);
    if (::write(done[1], "!", 1) != 1) fail("pipe");
    while (true) ::pause();
  }
  (void)std::getchar();
  shared.is_over = true;
  char byte = 0;
  for (std::size_t parent = 0; parent < kKinds.size(); ++parent) {
    if (::read(done[0], &byte, 1) != 1) fail("a parent is gone");
  }
  print(tag, shared);
  while (std::getchar() != EOF) {
  }
  return 0;
}
