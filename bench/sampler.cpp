// CPU time of a tick of the `signals` collector, alone. Prints one JSON object.
//
//   sampler --ticks 1000                  # back to back
//   sampler --ticks 20 --gap-ms 1000      # with cold caches, as it runs
//   sampler --procfs DIR --max-devices 64

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/measure.hpp"
#include "collectors/catalog.hpp"

namespace {

struct Options {
  std::string procfs = "/proc";
  std::string max_devices = "32";
  int ticks = 1000;
  int gap_ms = 0;
};

procfs::FileReader open_mount(const std::string& path) {
  auto reader = procfs::FileReader::open(path);
  if (!reader) throw std::runtime_error(reader.error().detail);
  return *std::move(reader);
}

/// Microseconds of each tick. The ticks are told that they are a second apart, however soon they
/// come, for otherwise they would be merged.
std::vector<double> run(collectors::Collector& collector, const Options& options) {
  auto now = collectors::Clock::now();
  const auto tick = [&] {
    now += std::chrono::seconds(1);
    const auto before = bench::own_cpu_nanoseconds();
    collector.tick(now);
    return static_cast<double>(bench::own_cpu_nanoseconds() - before) / 1e3;
  };
  constexpr int kWarmUp = 3;
  for (int i = 0; i < kWarmUp; ++i) tick();
  std::vector<double> cpu_us;
  for (int i = 0; i < options.ticks; ++i) {
    if (options.gap_ms > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(options.gap_ms));
    }
    cpu_us.push_back(tick());
  }
  return cpu_us;
}

void print(const std::vector<double>& cpu_us) {
  std::printf(
      "{\"cpu_us\": %.3f, \"cpu_us_mean\": %.3f, \"cpu_us_min\": %.3f, "
      "\"cpu_us_max\": %.3f}\n",
      bench::median(cpu_us), bench::mean(cpu_us), bench::quantile(cpu_us, 0),
      bench::quantile(cpu_us, 1));
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app{"CPU time of a tick of the signals collector"};
  app.add_option("--procfs", options.procfs, "Where procfs, or what looks like it, is");
  app.add_option("--max-devices", options.max_devices, "As --collector.signals.max-devices");
  app.add_option("--ticks", options.ticks, "The median of them is the result")
      ->check(CLI::PositiveNumber);
  app.add_option("--gap-ms", options.gap_ms, "Pause before each tick");
  CLI11_PARSE(app, argc, argv);
  auto proc = open_mount(options.procfs);
  auto root = open_mount("/");
  procfs::HostFiles files(proc);
  collectors::Settings settings;
  settings.set("signals.max-devices", {options.max_devices});
  const collectors::Host host{.proc = proc,
                              .sys = root,
                              .root = root,
                              .files = files,
                              .settings = settings,
                              .system = procfs::this_system(),
                              .window = std::chrono::minutes(5),
                              .sample_interval = std::chrono::seconds(1)};
  const auto collector = collectors::kSignals.make(host);
  print(run(*collector, options));
} catch (const std::exception& error) {
  std::fprintf(stderr, "sampler: %s\n", error.what());
  return 1;
}
