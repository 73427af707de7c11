// A watch for the tests that need one, where the kernel lets us.
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "bpf/process_watch.hpp"
#include "tests/support/skip.hpp"

namespace tests {

/// Nothing where the kernel refuses, and then the test is skipped and returns. A kernel with BTF
/// must not refuse the CI, which is root.
inline std::optional<bpf::ProcessWatch> open_watch(const bpf::ProcessWatch::Options& options = {}) {
  auto watch = bpf::ProcessWatch::open(options);
  if (watch) return *std::move(watch);
  skip(watch.error().detail, ::access("/sys/kernel/btf/vmlinux", F_OK) == 0);
  return std::nullopt;
}

inline const ProcessRecord* find_process(std::span<const ProcessRecord> records, pid_t pid) {
  const auto found = std::find_if(records.begin(), records.end(), [pid](const auto& record) {
    return record.pid == static_cast<std::uint32_t>(pid);
  });
  return found == records.end() ? nullptr : &*found;
}

/// Whether the main thread of the process has ended.
inline bool has_ended(pid_t pid) {
  std::string line;
  std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), line);
  return line.find(") Z ") != std::string::npos;
}

/// Looks again and again until it is so. False when that took longer than any machine should need.
inline bool comes_true(const std::function<bool()>& is_so) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

/// Of the running kernel.
inline bool has_linux(int wanted_major, int wanted_minor) {
  utsname name{};
  ::uname(&name);
  int major = 0;
  int minor = 0;
  // NOLINTNEXTLINE(cert-err34-c): the kernel's own release
  return std::sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
         (major > wanted_major || (major == wanted_major && minor >= wanted_minor));
}

/// Everything that was drained so far.
struct Drained {
  std::vector<ExitRecord> records;
  std::vector<std::pair<ExitKey, ExitSums>> summed;
  ExitSums nameless{};

  void drain(bpf::ProcessWatch& watch) {
    bpf::Exits exits;
    REQUIRE(watch.drain_exits(exits, std::chrono::steady_clock::now()));
    records.insert(records.end(), exits.records.begin(), exits.records.end());
    summed.insert(summed.end(), exits.summed.begin(), exits.summed.end());
    for (std::size_t reason = 0; reason < EXIT_REASONS; ++reason) {
      nameless.exits[reason] += exits.nameless.exits[reason];
    }
    nameless.counters.run_time_ns += exits.nameless.counters.run_time_ns;
  }

  [[nodiscard]] const ExitRecord* find(pid_t pid) const {
    for (const auto& record : records) {
      if (record.pid == static_cast<std::uint32_t>(pid)) return &record;
    }
    return nullptr;
  }

  /// Waits for the exit of a process that has been reaped.
  const ExitRecord* await(bpf::ProcessWatch& watch, pid_t pid) {
    (void)comes_true([&] {
      drain(watch);
      return find(pid) != nullptr;
    });
    return find(pid);
  }
};

struct Ended {
  pid_t pid = -1;
  int status = 0;
  rusage usage{};
};

/// Runs `body` in a child, which then exits, and waits for it.
template <class Body>
Ended run_in_child(Body body) {
  Ended ended;
  ended.pid = ::fork();
  if (ended.pid == 0) {
    body();
    ::_exit(0);
  }
  ::wait4(ended.pid, &ended.status, 0, &ended.usage);
  return ended;
}

inline std::uint64_t microseconds(const rusage& usage) {
  const auto seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec;
  return static_cast<std::uint64_t>(seconds * 1'000'000 + usage.ru_utime.tv_usec +
                                    usage.ru_stime.tv_usec);
}

/// What a parent knows of the children it has waited for.
struct Storm {
  std::uint64_t children_us = 0;
  pid_t parent = -1;
};

/// `count` short children of one parent, all of that name, which have all been waited for.
inline Storm storm(int count, const char* comm) {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  const auto ended = run_in_child([&] {
    ::dup2(pipe[1], STDOUT_FILENO);
    const auto text = std::to_string(count);
    ::execl(PROCESS_STORM, PROCESS_STORM, text.c_str(), comm, nullptr);
    ::_exit(127);
  });
  ::close(pipe[1]);
  std::array<char, 32> text{};
  const auto length = ::read(pipe[0], text.data(), text.size() - 1);
  ::close(pipe[0]);
  REQUIRE(ended.status == 0);
  REQUIRE(length > 0);
  return {.children_us = std::stoul(text.data()), .parent = ended.pid};
}

}  // namespace tests
