// A population of sleeping processes to look at: few names, as on a real host, some with more
// threads, memory or open files than others. Prints a line when all of them sleep, and ends them
// when its standard input ends or on SIGTERM.
//
//   population --processes 1000 --names 100

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/measure.hpp"

namespace {

constexpr std::size_t kPageBytes = 4096;

struct Options {
  int processes = 1000;
  int names = 100;
};

void* sleep_for_ever(void* /*nothing*/) {
  for (;;) pause();
}

void add_thread() {
  constexpr std::size_t kStackBytes = 1U << 16U;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_t thread{};
  if (pthread_create(&thread, &attributes, sleep_for_ever, nullptr) != 0) _exit(1);
}

/// Resident memory in mappings that the kernel cannot merge, because they take turns in what they
/// allow: what /proc/PID/status and smaps must walk over.
void add_memory(int mappings, std::size_t pages_each) {
  for (int i = 0; i < mappings; ++i) {
    void* const memory = mmap(nullptr, pages_each * kPageBytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) _exit(1);
    std::memset(memory, 1, pages_each * kPageBytes);
    if (i % 2 == 1) mprotect(memory, pages_each * kPageBytes, PROT_READ);
  }
}

/// Ends only when it is killed, at the latest with its parent. Hardly any of it ever runs again.
[[noreturn]] void live(int number, int names, int ready) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGTERM, SIG_DFL);
  const auto name = "worker" + std::to_string(number % names);  // The kernel cuts it.
  prctl(PR_SET_NAME, name.c_str());
  constexpr int kMappings = 32;
  constexpr std::size_t kManyPages = 512;
  add_memory(kMappings, 1);
  constexpr int kKinds = 10;
  switch (number % kKinds) {
    case 3:
      for (int i = 0; i < 3; ++i) add_thread();
      break;
    case 5:
      for (int i = 0; i < 64; ++i) {
        if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) _exit(1);
      }
      break;
    case 7:
      add_memory(1, kManyPages);
      break;
    default:
      break;
  }
  constexpr char kReady = 1;
  if (write(ready, &kReady, 1) != 1) _exit(1);
  close(ready);
  for (;;) pause();
}

void wait_until_ready(int ready, int count) {
  for (int seen = 0; seen < count; ++seen) {
    char byte = 0;
    if (read(ready, &byte, 1) != 1) throw std::runtime_error("a process of the population failed");
  }
}

class Population {
 public:
  explicit Population(const Options& options) {
    std::array<int, 2> ready{};
    if (pipe2(ready.data(), O_CLOEXEC) != 0) bench::throw_errno("pipe");
    for (int number = 0; number < options.processes; ++number) {
      const auto pid = fork();
      if (pid < 0) bench::throw_errno("fork");
      if (pid == 0) live(number, options.names, ready[1]);
      pids_.push_back(pid);
    }
    close(ready[1]);  // So that waiting ends when none is left that could be ready.
    wait_until_ready(ready[0], options.processes);
    close(ready[0]);
  }
  Population(const Population&) = delete;
  Population& operator=(const Population&) = delete;
  Population(Population&&) = delete;
  Population& operator=(Population&&) = delete;
  ~Population() {
    for (const auto pid : pids_) kill(pid, SIGKILL);
    for (const auto pid : pids_) waitpid(pid, nullptr, 0);
  }

 private:
  std::vector<pid_t> pids_;
};

void ignore(int /*signal*/) {}

void run(const Options& options) {
  struct sigaction action {};
  action.sa_handler = ignore;  // It interrupts the read below.
  sigaction(SIGTERM, &action, nullptr);
  const Population population(options);
  std::puts("ready");
  std::fflush(stdout);
  char byte = 0;
  while (read(STDIN_FILENO, &byte, 1) > 0) continue;
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app{"Processes that sleep until this one ends"};
  app.add_option("--processes", options.processes, "How many")->check(CLI::PositiveNumber);
  app.add_option("--names", options.names, "How many different names they have")
      ->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  run(options);
} catch (const std::exception& error) {
  std::fprintf(stderr, "population: %s\n", error.what());
  return 1;
}
