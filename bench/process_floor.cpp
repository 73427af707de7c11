// The least that looking at every process can cost: the kernel telling of them, and nobody making
// anything of it. Prints the CPU time of a pass over all processes as one JSON object.
//
//   process_floor bpf-counters --passes 100 --repetitions 5
//   process_floor opened-stat-statm --passes 1 --gap-ms 1000     # with cold caches

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/measure.hpp"
#include "bpf/process_watch.hpp"

namespace {

/// One look at all processes; how many there were.
using Pass = std::function<std::size_t()>;

struct Options {
  std::string method;
  int passes = 10;
  int repetitions = 5;
  int gap_ms = 0;
};

std::array<char, 1 << 16> buffer;

struct Close {
  void operator()(DIR* directory) const { closedir(directory); }
};
using Directory = std::unique_ptr<DIR, Close>;

Directory open_proc() {
  Directory proc(opendir("/proc"));
  if (!proc) bench::throw_errno("/proc");
  return proc;
}

template <class Visit>
std::size_t for_each_process(DIR* proc, Visit visit) {
  std::size_t count = 0;
  rewinddir(proc);
  while (const dirent* const entry = readdir(proc)) {  // NOLINT(concurrency-mt-unsafe): ours
    const std::string_view name = entry->d_name;
    if (name.front() < '1' || name.front() > '9') continue;
    visit(name);
    ++count;
  }
  return count;
}

/// As one path below /proc, in memory that is used again.
const char* path_of(std::string_view process, std::string_view file) {
  static std::array<char, 64> path;
  auto* const end = std::copy(process.begin(), process.end(), path.begin());
  *std::copy(file.begin(), file.end(), end) = '\0';
  return path.data();
}

/// That a process has gone, or is not to be looked at, is none of our business.
void expect_read(ssize_t bytes) {
  if (bytes < 0 && errno != ESRCH && errno != EACCES) bench::throw_errno("read");
}

/// Such a file comes with one read.
void open_and_read(int proc, const char* path) {
  const int file = openat(proc, path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  expect_read(read(file, buffer.data(), buffer.size()));
  close(file);
}

Pass walk(bpf::Detail detail) {
  auto opened = bpf::ProcessWatch::open({});
  if (!opened) throw std::runtime_error(opened.error().detail);
  const auto watch = std::make_shared<bpf::ProcessWatch>(*std::move(opened));
  return [watch, detail] {
    const auto records = watch->walk(detail);
    if (!records) throw std::runtime_error(records.error().detail);
    return records->size();
  };
}

Pass list_only() {
  const std::shared_ptr<DIR> proc = open_proc();
  return [proc] { return for_each_process(proc.get(), [](std::string_view) {}); };
}

Pass open_each(std::initializer_list<const char*> files, bool with_open_files) {
  const std::shared_ptr<DIR> proc = open_proc();
  return [proc, files = std::vector<const char*>(files), with_open_files] {
    const int directory = dirfd(proc.get());
    return for_each_process(proc.get(), [&](std::string_view process) {
      for (const auto* const file : files) open_and_read(directory, path_of(process, file));
      struct stat status {};
      if (with_open_files) fstatat(directory, path_of(process, "/fd"), &status, 0);
    });
  };
}

/// As many files as a process may open, less some for everything else.
std::size_t most_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) bench::throw_errno("RLIMIT_NOFILE");
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) bench::throw_errno("RLIMIT_NOFILE");
  constexpr rlim_t kSpare = 64;
  return limit.rlim_max - kSpare;
}

/// Of the processes that there are now, or of the first that the limit has room for. Open to the
/// end of the program.
Pass keep_open(std::initializer_list<const char*> files) {
  const auto most = most_files();
  const auto proc = open_proc();
  std::vector<int> descriptors;
  for_each_process(proc.get(), [&](std::string_view process) {
    if (descriptors.size() + files.size() > most) return;
    for (const auto* const file : files) {
      const int descriptor =
          openat(dirfd(proc.get()), path_of(process, file), O_RDONLY | O_CLOEXEC);
      if (descriptor >= 0) descriptors.push_back(descriptor);
    }
  });
  return [descriptors, files_each = files.size()] {
    for (const int descriptor : descriptors) {
      expect_read(pread(descriptor, buffer.data(), buffer.size(), 0));
    }
    return descriptors.size() / files_each;
  };
}

const std::map<std::string, Pass (*)()> kMethods = {
    {"bpf-counters", [] { return walk(bpf::Detail::counters); }},
    {"bpf-complete", [] { return walk(bpf::Detail::complete); }},
    {"list", list_only},
    {"kept-stat-statm",
     [] {
       return keep_open({"/stat", "/statm"});
     }},
    {"opened-stat", [] { return open_each({"/stat"}, false); }},
    {"opened-stat-statm",
     [] {
       return open_each({"/stat", "/statm"}, false);
     }},
    {"opened-all",
     [] {
       return open_each({"/stat", "/status", "/io"}, true);
     }},
};

void run(const Options& options) {
  const auto pass = kMethods.at(options.method)();
  auto processes = pass();
  std::vector<double> cpu_us;
  for (int repetition = 0; repetition < options.repetitions; ++repetition) {
    std::this_thread::sleep_for(std::chrono::milliseconds(options.gap_ms));
    const auto before = bench::own_cpu_nanoseconds();
    for (int i = 0; i < options.passes; ++i) processes = pass();
    const auto spent = static_cast<double>(bench::own_cpu_nanoseconds() - before);
    cpu_us.push_back(spent / 1e3 / options.passes);
  }
  std::printf(
      "{\"cpu_us\": %.3f, \"cpu_us_min\": %.3f, \"cpu_us_max\": %.3f, \"processes\": %zu}\n",
      bench::median(cpu_us), bench::quantile(cpu_us, 0), bench::quantile(cpu_us, 1), processes);
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app{"CPU time of the kernel telling of all processes"};
  app.add_option("method", options.method, "How")->required()->check(CLI::IsMember(kMethods));
  app.add_option("--passes", options.passes, "Passes per repetition")->check(CLI::PositiveNumber);
  app.add_option("--repetitions", options.repetitions, "Each gives a figure")
      ->check(CLI::PositiveNumber);
  app.add_option("--gap-ms", options.gap_ms, "Pause before each repetition");
  CLI11_PARSE(app, argc, argv);
  run(options);
} catch (const std::exception& error) {
  std::fprintf(stderr, "process_floor: %s\n", error.what());
  return 1;
}
