// A watch for the tests that need one, where the kernel lets us.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "bpf/process_watch.hpp"

namespace tests {

/// Nothing where the kernel refuses, said aloud: the test then returns. On the CI's machines a
/// kernel that has what it takes must not refuse, lest a test that always skips looks like one that
/// passes.
inline std::optional<bpf::ProcessWatch> open_watch(const bpf::ProcessWatch::Options& options = {}) {
  auto watch = bpf::ProcessWatch::open(options);
  if (watch) return *std::move(watch);
  const char* const ci = std::getenv("CI");
  const bool has_types = ::access("/sys/kernel/btf/vmlinux", R_OK) == 0;
  if (ci != nullptr && std::string_view(ci) == "true" && has_types) {
    FAIL("the kernel has BTF, but no watch: " << watch.error().detail);
  }
  WARN("SKIPPED " << Catch::getResultCapture().getCurrentTestName() << ": "
                  << watch.error().detail);
  return std::nullopt;
}

inline const ProcessRecord* find_process(std::span<const ProcessRecord> records, pid_t pid) {
  const auto found = std::find_if(records.begin(), records.end(), [pid](const auto& record) {
    return record.pid == static_cast<std::uint32_t>(pid);
  });
  return found == records.end() ? nullptr : &*found;
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

/// Everything that was drained so far.
struct Drained {
  std::vector<ExitRecord> records;
  std::vector<std::pair<ExitKey, ExitSums>> summed;
  ExitSums nameless{};

  void drain(bpf::ProcessWatch& watch) {
    bpf::Exits exits;
    REQUIRE(watch.drain_exits(exits));
    records.insert(records.end(), exits.records.begin(), exits.records.end());
    summed.insert(summed.end(), exits.summed.begin(), exits.summed.end());
    for (std::size_t reason = 0; reason < EXIT_REASONS; ++reason) {
      nameless.exits[reason] += exits.nameless.exits[reason];
    }
    nameless.run_time_ns += exits.nameless.run_time_ns;
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

}  // namespace tests
