// accounted_storm TAG CHILDREN SLEEPERS FILE: short processes by parents who know what each used.
//
// Four parents, TAG-p0 to TAG-p3, the sleepers, TAG-sleep, and one of each name that the children
// will have are there when it writes "ready". At the first line of its stdin the parents make the
// children, TAG-c0 to TAG-c3: 0.2 to 9 ms of CPU each, with one thread or three, some with input
// and output in FILE, which must be on a disk, and with three ways to end. Then one line of JSON
// tells what the kernel told each parent of them. All end with its stdin.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "tests/live/known_use.hpp"

using tests::burn;
using tests::cpu_us_of;
using tests::fail;

namespace {

constexpr int kParents = 4;
constexpr int kInFlight = 2;  // of each parent
constexpr std::array kBurnMicroseconds = {200, 250, 300, 350,  400, 200, 500,  300, 250,  600,
                                          200, 800, 300, 1200, 400, 200, 2500, 300, 9000, 250};
// Who writes has a place of its own for long enough: pages that are dirty already cost nothing.
constexpr off_t kPageBytes = 4096;
constexpr off_t kWriteBytes = 4 * kPageBytes;
constexpr off_t kReadBytes = 16 * kPageBytes;
constexpr off_t kPlaces = 16;
constexpr off_t kFileBytes = kPlaces * kWriteBytes + kReadBytes;  // of each parent
constexpr int kErrorCode = 3;
constexpr int kBusyMicroseconds = 200'000;
const std::string kSleeper = "sleep";

enum class Threads : std::uint8_t { one, end_first, outlive_the_first };
enum class End : std::uint8_t { normal, error, signal };
enum class Storage : std::uint8_t { none, read, write };

/// What a child does, by its number.
struct Work {
  int burn_us;
  Threads threads;
  End end;
  Storage storage;
  off_t place;
};

Work work_of(int child) {
  constexpr auto kBurns = static_cast<int>(kBurnMicroseconds.size());
  Work work{};
  work.burn_us = kBurnMicroseconds.at(static_cast<std::size_t>(child % kBurns));
  const auto round = child / kBurns;
  if (round % 5 == 3) work.threads = Threads::end_first;
  if (round % 5 == 4) work.threads = Threads::outlive_the_first;
  if (child % 7 == 5) work.end = End::error;
  if (child % 7 == 6) work.end = End::signal;
  if (child % 50 == 7) work.storage = Storage::write;
  if (child % 50 == 23) work.storage = Storage::read;
  work.place = child / 50 % kPlaces;
  return work;
}

struct StorageBytes {
  long long read = 0;
  long long write = 0;
};

/// What a parent knows of its children in the end.
struct Report {
  int children = 0;
  int normal = 0;
  int error = 0;
  int signal = 0;
  std::int64_t children_cpu_us = 0;
  std::int64_t own_cpu_us = 0;
  StorageBytes storage;
};

struct Files {
  int cached = -1;
  int direct = -1;
};

/// Of this process and the children that it waited for.
StorageBytes storage_bytes() {
  StorageBytes bytes;
  std::FILE* const io = std::fopen("/proc/self/io", "r");
  if (io == nullptr || std::fscanf(io,
                                   "rchar: %*u wchar: %*u syscr: %*u syscw: %*u "
                                   "read_bytes: %lld write_bytes: %lld",
                                   &bytes.read, &bytes.write) != 2) {
    fail("/proc/self/io");
  }
  std::fclose(io);
  return bytes;
}

void use_storage(const Work& work, const Files& files, off_t begin) {
  alignas(kPageBytes) static std::array<char, kReadBytes> bytes{};
  if (work.storage == Storage::read) {
    if (::pread(files.direct, bytes.data(), kReadBytes, begin + kPlaces * kWriteBytes) !=
        kReadBytes) {
      fail("O_DIRECT read");
    }
  } else if (work.storage == Storage::write) {
    if (::pwrite(files.cached, bytes.data(), kWriteBytes, begin + work.place * kWriteBytes) !=
            kWriteBytes ||
        ::fsync(files.cached) != 0) {
      fail("write");
    }
  }
}

void end(End how) {
  if (how == End::signal) ::kill(::getpid(), SIGTERM);
  ::syscall(SYS_exit_group, how == End::error ? kErrorCode : 0);
}

[[noreturn]] void be_child(const Work& work, const Files& files, off_t begin) {
  const auto share_us = work.threads == Threads::one ? work.burn_us : work.burn_us / 3;
  const auto own_part = [&] {
    use_storage(work, files, begin);
    burn(share_us);
  };
  if (work.threads == Threads::one) {
    own_part();
  } else if (work.threads == Threads::end_first) {
    std::thread first(own_part);
    std::thread second(burn, share_us);
    first.join();
    second.join();
    burn(share_us);
  } else {
    // One of those who outlive the first ends the process; normally, who is last does. The first
    // ends with 0: whose code is the process' depends on the kernel.
    static std::atomic<bool> is_alone = false;
    std::thread([&] {
      is_alone.wait(false);
      own_part();
      if (work.end != End::normal) end(work.end);
    }).detach();
    std::thread([&] {
      is_alone.wait(false);
      burn(share_us);
    }).detach();
    burn(share_us);
    is_alone = true;
    is_alone.notify_all();
    ::syscall(SYS_exit, 0);
  }
  end(work.end);
  std::abort();
}

void reap(Report& report) {
  int status = 0;
  if (::wait(&status) < 0) fail("wait");
  ++report.children;
  if (WIFSIGNALED(status)) {
    ++(WTERMSIG(status) == SIGTERM ? report.signal : report.children);
  } else if (WEXITSTATUS(status) == 0) {
    ++report.normal;
  } else {
    ++(WEXITSTATUS(status) == kErrorCode ? report.error : report.children);
  }
}

void set_name(const std::string& tag, const std::string& kind) {
  ::prctl(PR_SET_NAME, (tag + '-' + kind).c_str());
}

/// Of all parents' children, those that are this one's.
Report be_parent(int parent, int children, const std::string& tag, const Files& files) {
  Report report;
  const auto own_before_us = cpu_us_of(RUSAGE_SELF);
  const auto storage_before = storage_bytes();
  int in_flight = 0;
  for (int child = parent; child < children; child += kParents) {
    if (in_flight == kInFlight) {
      reap(report);
      --in_flight;
    }
    // By its number among its parent's, so that all kinds are each parent's.
    const auto work = work_of(child / kParents);
    const auto pid = ::fork();
    if (pid < 0) fail("fork");
    if (pid == 0) {
      set_name(tag, "c" + std::to_string(parent));
      be_child(work, files, parent * kFileBytes);
    }
    ++in_flight;
  }
  while (in_flight-- > 0) reap(report);
  const auto storage = storage_bytes();
  report.storage = {storage.read - storage_before.read, storage.write - storage_before.write};
  report.children_cpu_us = cpu_us_of(RUSAGE_CHILDREN);
  report.own_cpu_us = cpu_us_of(RUSAGE_SELF) - own_before_us;
  return report;
}

Files open_files(const char* path) {
  Files files;
  files.cached = ::open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  files.direct = ::open(path, O_RDONLY | O_DIRECT);
  if (files.cached < 0 || files.direct < 0) fail(path);
  // Piece by piece: what is written at once may be one folio, which is dirty as a whole.
  const std::string zeros(kWriteBytes, '\0');
  for (off_t at = 0; at < kParents * kFileBytes; at += kWriteBytes) {
    if (::pwrite(files.cached, zeros.data(), zeros.size(), at) != kWriteBytes) fail(path);
  }
  if (::fsync(files.cached) != 0) fail(path);
  return files;
}

/// A child that ends with this process at the latest.
template <class Work>
void start(const std::string& tag, const std::string& kind, int ready, Work work) {
  const auto pid = ::fork();
  if (pid < 0) fail("fork");
  if (pid > 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  set_name(tag, kind);
  // Of all names that the host has, those who were busy come first where places are few.
  if (kind != kSleeper) burn(kBusyMicroseconds);
  if (::write(ready, "!", 1) != 1) fail("pipe");
  work();
  while (true) ::pause();
}

void wait_for(int pipe, int bytes) {
  char byte = 0;
  for (int got = 0; got < bytes; ++got) {
    if (::read(pipe, &byte, 1) != 1) fail("a child is gone");
  }
}

void print(const std::string& tag, const Report* reports) {
  for (int parent = 0; parent < kParents; ++parent) {
    const auto& report = reports[parent];
    std::printf(
        R"(%s{"parent": "%s-p%d", "group": "%s-c%d", "children": %d, "normal": %d, "error": %d, )"
        R"("signal": %d, "cpu_seconds": %.6f, "own_cpu_seconds": %.6f, "read_bytes": %lld, )"
        R"("write_bytes": %lld})",
        parent == 0 ? "[" : ", ", tag.c_str(), parent, tag.c_str(), parent, report.children,
        report.normal, report.error, report.signal,
        static_cast<double>(report.children_cpu_us) / 1e6,
        static_cast<double>(report.own_cpu_us) / 1e6, report.storage.read, report.storage.write);
  }
  std::printf("]\n");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const std::string tag = argv[1];
  const auto children = std::atoi(argv[2]);  // NOLINT(cert-err34-c): the tests' own arguments
  const auto sleepers = std::atoi(argv[3]);  // NOLINT(cert-err34-c)
  const auto files = open_files(argv[4]);
  void* const shared = ::mmap(nullptr, kParents * sizeof(Report), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  std::array<int, 2> ready{};
  std::array<int, 2> go{};
  if (shared == MAP_FAILED || ::pipe(ready.data()) != 0 || ::pipe(go.data()) != 0) fail("memory");
  auto* const reports = static_cast<Report*>(shared);

  for (int sleeper = 0; sleeper < sleepers; ++sleeper) start(tag, kSleeper, ready[1], [] {});
  for (int parent = 0; parent < kParents; ++parent) {
    start(tag, "c" + std::to_string(parent), ready[1], [] {});
    start(tag, "p" + std::to_string(parent), ready[1], [&] {
      wait_for(go[0], 1);
      reports[parent] = be_parent(parent, children, tag, files);
      if (::write(ready[1], "!", 1) != 1) fail("pipe");
    });
  }
  wait_for(ready[0], sleepers + 2 * kParents);
  std::puts("ready");
  std::fflush(stdout);
  if (std::getchar() == EOF) return 0;
  if (::write(go[1], "0123", kParents) != kParents) fail("pipe");
  wait_for(ready[0], kParents);
  print(tag, reports);
  while (std::getchar() != EOF) {
  }
  return 0;
}
