// What a walk says of the memory, files and times of processes.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill
#include <sys/resource.h>
#include <sys/syscall.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/process_values.hpp"
#include "procfs/process.hpp"
#include "procfs/text.hpp"
#include "tests/support/child.hpp"
#include "tests/support/process_watch.hpp"

using bpf::Detail;
using Options = bpf::ProcessWatch::Options;
using tests::find_process;
using tests::microseconds;
using tests::open_watch;

namespace {

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// Pages, as in /proc/self/statm: virtual, resident, and of these, those of files and shared
/// memory.
struct Statm {
  std::uint64_t virtual_pages = 0;
  std::uint64_t resident_pages = 0;
  std::uint64_t shared_pages = 0;
  bool operator==(const Statm&) const = default;
};

/// Without allocating: what is measured must not move.
Statm statm() {
  std::array<char, 256> text{};
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  const auto length = ::read(file, text.data(), text.size());
  ::close(file);
  REQUIRE(length > 0);
  std::string_view rest(text.data(), static_cast<std::size_t>(length));
  Statm statm;
  REQUIRE((procfs::take_number(rest, statm.virtual_pages) &&
           procfs::take_number(rest, statm.resident_pages) &&
           procfs::take_number(rest, statm.shared_pages)));
  return statm;
}

void burn(std::uint64_t rounds) {
  volatile std::uint64_t sum = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) sum = sum + round;
}

void* burn_and_end(void*) {
  burn(20'000'000);
  return nullptr;
}

void* burn_and_stay(void* barrier) {
  burn(20'000'000);
  ::pthread_barrier_wait(static_cast<pthread_barrier_t*>(barrier));
  for (;;) ::pause();
}

}  // namespace

TEST_CASE("A complete walk is exact about memory, files, faults and storage") {
  auto watch = open_watch();
  if (!watch) return;
  constexpr std::size_t kBytes = 8U << 20U;
  const std::vector<char> memory(kBytes, 'x');
  const std::vector<char> block(1U << 16U, 'x');
  const int file = ::open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  REQUIRE(file >= 0);
  REQUIRE(::write(file, block.data(), block.size()) == static_cast<ssize_t>(block.size()));
  REQUIRE(watch->walk(Detail::complete));  // Maps the table, and does the first faults.

  // Until nothing moved between the two readings around a walk.
  Statm before;
  Statm after;
  ProcessRecord self{};
  REQUIRE(tests::comes_true([&] {
    before = statm();
    const auto records = watch->walk(Detail::complete);
    REQUIRE(records);
    self = *find_process(*records, ::getpid());
    after = statm();
    return before == after;
  }));
  // statm itself is exact since 6.16 only.
  const auto cpus = static_cast<std::uint64_t>(::sysconf(_SC_NPROCESSORS_CONF));
  const auto margin = tests::has_linux(6, 16)
                          ? 0U
                          : 3 * cpus * std::max<std::uint64_t>(32, 2 * cpus);  // Of three kinds.
  const auto resident =
      self.resident_file_pages + self.resident_anonymous_pages + self.resident_shared_pages;
  CHECK((self.flags & PROCESS_MEMORY_IS_EXACT) != 0);
  CHECK(self.virtual_pages == before.virtual_pages);
  CHECK(resident <= before.resident_pages + margin);
  CHECK(resident + margin >= before.resident_pages);
  CHECK(self.resident_file_pages + self.resident_shared_pages <= before.shared_pages + margin);
  CHECK(self.resident_file_pages + self.resident_shared_pages + margin >= before.shared_pages);
  CHECK(self.peak_resident_pages >= resident);

  std::uint32_t open_files = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    open_files += entry.path().empty() ? 0U : 1U;
  }
  CHECK((self.flags & PROCESS_HAS_FILES) != 0);
  CHECK(self.open_files == open_files - 1);  // That of the listing is no longer there.
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK(self.open_files_soft_limit == limit.rlim_cur);

  const auto io = procfs::parse_process_io(text_of("/proc/self/io"));
  if (watch->has_storage_bytes() && io) {
    CHECK(self.counters.write_bytes == io->write_bytes);
    CHECK(self.counters.read_bytes == io->read_bytes);
    CHECK(self.counters.write_bytes >= block.size());
  }
  const auto stat = procfs::parse_process_stat(text_of("/proc/self/stat"));
  REQUIRE(stat);
  CHECK(self.counters.minor_faults >=
        kBytes / static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 2);
  CHECK(self.counters.minor_faults <= stat->minor_faults);
  CHECK(self.counters.major_faults <= stat->major_faults);
  CHECK(memory.back() == 'x');
  ::close(file);
}

TEST_CASE("Open files are counted in every word of a large table") {
  auto watch = open_watch();
  if (!watch) return;
  const tests::Child child(
      [] {
        for (int file = 0; file < 300; ++file) ::dup2(0, 100 + file * 2);
      },
      [] { ::pause(); });
  const auto path = "/proc/" + std::to_string(child.pid()) + "/fd";
  const auto listed = std::distance(std::filesystem::directory_iterator(path), {});
  const auto records = watch->walk(Detail::complete);
  REQUIRE(records);
  const auto* const record = find_process(*records, child.pid());
  REQUIRE(record != nullptr);
  CHECK(record->open_files >= 300);
  CHECK(record->open_files == static_cast<std::uint64_t>(listed));
}

TEST_CASE("A table of files that is larger than a walk may look at is not counted") {
  constexpr int kLast = 8'000;
  const auto is_small = GENERATE(true, false);
  auto watch = open_watch(is_small ? Options{.open_file_places = 4'096} : Options{});
  if (!watch) return;
  const tests::Child child(
      [] {
        if (::dup2(0, kLast) != kLast) ::_exit(1);
      },
      [] { ::pause(); });
  const auto records = watch->walk(Detail::complete);
  REQUIRE(records);
  const auto* const record = find_process(*records, child.pid());
  REQUIRE(record != nullptr);
  CHECK(((record->flags & PROCESS_HAS_FILES) == 0) == is_small);
}

TEST_CASE("The time of all threads is in their process, of those that ended too") {
  auto watch = open_watch();
  if (!watch) return;
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  const tests::Child child(
      [&] {
        for (int round = 0; round < 2; ++round) {
          std::array<pthread_t, 2> threads{};
          for (auto& thread : threads) ::pthread_create(&thread, nullptr, burn_and_end, nullptr);
          for (const auto thread : threads) ::pthread_join(thread, nullptr);
        }
        pthread_t thread{};
        static pthread_barrier_t barrier{};
        ::pthread_barrier_init(&barrier, nullptr, 2);
        ::pthread_create(&thread, nullptr, burn_and_stay, &barrier);
        ::pthread_barrier_wait(&barrier);
        rusage usage{};
        ::getrusage(RUSAGE_SELF, &usage);
        const auto used = microseconds(usage);
        if (::write(pipe[1], &used, sizeof used) != sizeof used) ::_exit(1);
      },
      [] { ::pause(); });
  std::uint64_t used_us = 0;
  REQUIRE(::read(pipe[0], &used_us, sizeof used_us) == sizeof used_us);
  // It has nothing left to do but to fall asleep.
  ProcessRecord record{};
  REQUIRE(tests::comes_true([&] {
    const auto records = watch->walk(Detail::counters);
    REQUIRE(records);
    record = *find_process(*records, child.pid());
    return bpf::state_letter(record) == 'S' && record.threads == 2;
  }));
  CHECK(used_us > 10'000);
  CHECK(record.counters.run_time_ns / 1000 >= used_us - 1);
  CHECK(record.counters.run_time_ns / 1000 <= used_us + used_us / 50 + 1000);
  const auto times = bpf::scaled_times(record.counters);
  CHECK(times.user_ns + times.system_ns == record.counters.run_time_ns);
  for (const int end : pipe) ::close(end);
}

TEST_CASE("The sums of a process never go back while its threads come and go") {
  auto watch = open_watch();
  if (!watch) return;
  const tests::Child child([] {},
                           [] {
                             pthread_t thread{};
                             const auto end = [](void*) -> void* { return nullptr; };
                             if (::pthread_create(&thread, nullptr, end, nullptr) == 0) {
                               ::pthread_detach(thread);
                             }
                           });
  ProcessRecord before{};
  std::uint64_t whole = 0;
  std::uint64_t with_threads = 0;
  for (int walk = 0; walk < 3000; ++walk) {
    const auto records = watch->walk(Detail::counters);
    REQUIRE(records);
    const auto now = *find_process(*records, child.pid());
    with_threads += now.threads > 1 ? 1U : 0U;
    if ((now.flags & PROCESS_SUMS_ARE_TORN) != 0) continue;
    ++whole;
    REQUIRE(now.counters.run_time_ns >= before.counters.run_time_ns);
    REQUIRE(now.counters.user_time_ns >= before.counters.user_time_ns);
    REQUIRE(now.counters.system_time_ns >= before.counters.system_time_ns);
    REQUIRE(now.counters.minor_faults >= before.counters.minor_faults);
    REQUIRE(now.counters.voluntary_switches >= before.counters.voluntary_switches);
    before = now;
  }
  CHECK(with_threads > 0);
  CHECK(whole > 2000);
}

TEST_CASE("A process whose main thread ended still has memory and files") {
  auto watch = open_watch();
  if (!watch) return;
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  const auto body = [](void*) -> void* { return ::pause(), nullptr; };
  const auto pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    pthread_t thread{};
    ::pthread_create(&thread, nullptr, body, nullptr);
    ::syscall(SYS_exit, 0);  // Of this thread alone, without what libraries do at its end.
  }
  ProcessRecord record{};
  const bool is_seen = tests::comes_true([&] {
    const auto records = watch->walk(Detail::complete);
    const auto* const found = records ? find_process(*records, pid) : nullptr;
    if (found != nullptr) record = *found;
    return bpf::state_letter(record) == 'Z';
  });
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  for (const int end : pipe) ::close(end);
  REQUIRE(is_seen);
  CHECK((record.flags & PROCESS_HAS_MEMORY) != 0);
  CHECK(record.resident_anonymous_pages > 0);
  CHECK((record.flags & PROCESS_HAS_FILES) != 0);
  CHECK(record.open_files > 0);
}
