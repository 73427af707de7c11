// The least that a scrape can cost: the kernel writing the text of the given files, each read
// through a kept descriptor until there is no more. Nothing is parsed, formatted or sent. Prints
// the CPU time of a pass over all files as one JSON object.
//
//   kernel_floor --passes 100 --repetitions 5 /proc/stat /proc/meminfo
//   kernel_floor --passes 1 --repetitions 5 --gap-ms 1000 /proc/stat     # with cold caches

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "bench/measure.hpp"

namespace {

struct Options {
  std::vector<std::string> paths;
  int passes = 100;
  int repetitions = 5;
  int gap_ms = 0;
};

struct PassTotals {
  std::size_t bytes = 0;
  std::size_t preads = 0;
};

/// Kept open to the end of the process.
std::vector<int> open_all(const std::vector<std::string>& paths) {
  std::vector<int> descriptors;
  for (const auto& path : paths) {
    descriptors.push_back(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (descriptors.back() < 0) bench::throw_errno(path.c_str());
  }
  return descriptors;
}

/// A seq_file gives at most about a page per call and an end only as 0, so one call is not enough.
PassTotals read_all(const std::vector<int>& descriptors) {
  static std::array<char, 1 << 16> buffer;
  PassTotals totals;
  for (const int descriptor : descriptors) {
    for (off_t offset = 0;;) {
      const auto bytes = pread(descriptor, buffer.data(), buffer.size(), offset);
      ++totals.preads;
      if (bytes < 0) bench::throw_errno("pread");
      if (bytes == 0) break;
      offset += bytes;
      totals.bytes += static_cast<std::size_t>(bytes);
    }
  }
  return totals;
}

void run(const Options& options) {
  const auto descriptors = open_all(options.paths);
  auto totals = read_all(descriptors);
  std::vector<double> cpu_us;
  for (int repetition = 0; repetition < options.repetitions; ++repetition) {
    std::this_thread::sleep_for(std::chrono::milliseconds(options.gap_ms));
    const auto before = bench::own_cpu_nanoseconds();
    for (int pass = 0; pass < options.passes; ++pass) totals = read_all(descriptors);
    const auto spent = static_cast<double>(bench::own_cpu_nanoseconds() - before);
    cpu_us.push_back(spent / 1e3 / options.passes);
  }
  std::printf(
      "{\"cpu_us\": %.3f, \"cpu_us_mean\": %.3f, \"cpu_us_min\": %.3f, \"cpu_us_max\": %.3f, "
      "\"files\": %zu, \"preads\": %zu, \"bytes\": %zu}\n",
      bench::median(cpu_us), bench::mean(cpu_us), bench::quantile(cpu_us, 0),
      bench::quantile(cpu_us, 1), descriptors.size(), totals.preads, totals.bytes);
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app{"CPU time of reading kernel files, and nothing else"};
  app.add_option("paths", options.paths, "Files")->required();
  app.add_option("--passes", options.passes, "Passes per repetition")->check(CLI::PositiveNumber);
  app.add_option("--repetitions", options.repetitions, "The median of them is the result")
      ->check(CLI::PositiveNumber);
  app.add_option("--gap-ms", options.gap_ms, "Pause before each repetition");
  CLI11_PARSE(app, argc, argv);
  run(options);
} catch (const std::exception& error) {
  std::fprintf(stderr, "kernel_floor: %s\n", error.what());
  return 1;
}
