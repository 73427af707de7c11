// CPU time of one collector, alone: of its tick, of what it reads for a page (refresh), or of
// writing that page (emit). Prints one JSON object.
//
//   sampler --ticks 1000                  # of `signals`, back to back
//   sampler --ticks 20 --gap-ms 1000      # with cold caches, as it runs
//   sampler --procfs DIR --set signals.max-devices=64
//   sampler --collector process --set process.source=bpf --step refresh

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/measure.hpp"
#include "collectors/catalog.hpp"
#include "metrics/text_encoder.hpp"

namespace {

enum class Step : std::uint8_t { tick, refresh, emit };
const std::map<std::string, Step> kSteps = {
    {"tick", Step::tick}, {"refresh", Step::refresh}, {"emit", Step::emit}};

struct Options {
  std::string collector = "signals";
  Step step = Step::tick;
  std::string procfs = "/proc";
  std::vector<std::string> settings;
  int ticks = 1000;
  int gap_ms = 0;
};

procfs::FileReader open_mount(const std::string& path) {
  auto reader = procfs::FileReader::open(path);
  if (!reader) throw std::runtime_error(reader.error().detail);
  return *std::move(reader);
}

std::unique_ptr<collectors::Collector> make(const std::string& name, const collectors::Host& host) {
  const auto catalog = collectors::catalog();
  const auto found = std::ranges::find(catalog, name, &collectors::CollectorSpec::name);
  if (found == catalog.end()) throw std::runtime_error("no collector " + name);
  return (*found)->make(host);
}

void refresh(collectors::Collector& collector, collectors::Clock::time_point now) {
  if (const auto done = collector.refresh(now); !done)
    throw std::runtime_error(done.error().detail);
}

/// Microseconds of each step. They are told that they are a second apart, however soon they come,
/// for otherwise they would be merged.
std::vector<double> run(collectors::Collector& collector, const Options& options) {
  auto now = collectors::Clock::now();
  metrics::TextEncoder page(metrics::TextFormat::prometheus_0_0_4);
  const auto measured_step = [&] {
    if (options.step != Step::tick) collector.tick(now += std::chrono::seconds(1));
    now += std::chrono::seconds(1);
    if (options.step == Step::emit) refresh(collector, now);
    page.restart(metrics::TextFormat::prometheus_0_0_4);
    const auto before = bench::own_cpu_nanoseconds();
    if (options.step == Step::tick) collector.tick(now);
    if (options.step == Step::refresh) refresh(collector, now);
    if (options.step == Step::emit) collector.emit(page);
    return static_cast<double>(bench::own_cpu_nanoseconds() - before) / 1e3;
  };
  constexpr int kWarmUp = 3;
  for (int i = 0; i < kWarmUp; ++i) measured_step();
  std::vector<double> cpu_us;
  for (int i = 0; i < options.ticks; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(options.gap_ms));
    cpu_us.push_back(measured_step());
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

collectors::Settings settings_of(const std::vector<std::string>& texts) {
  collectors::Settings settings;
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) throw std::runtime_error(text + " is not KEY=VALUE");
    settings.set(text.substr(0, equals), {text.substr(equals + 1)});
  }
  return settings;
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app{"CPU time of one collector"};
  app.add_option("--collector", options.collector, "Its name");
  app.add_option("--step", options.step, "tick, refresh or emit")
      ->transform(CLI::CheckedTransformer(kSteps));
  app.add_option("--procfs", options.procfs, "Where procfs, or what looks like it, is");
  app.add_option("--set", options.settings, "KEY=VALUE, as --collector.KEY VALUE");
  app.add_option("--ticks", options.ticks, "How many; the median of them is the result")
      ->check(CLI::PositiveNumber);
  app.add_option("--gap-ms", options.gap_ms, "Pause before each");
  CLI11_PARSE(app, argc, argv);
  auto proc = open_mount(options.procfs);
  auto sys = open_mount("/sys");
  auto root = open_mount("/");
  procfs::HostFiles files(proc);
  const auto settings = settings_of(options.settings);
  const collectors::Host host{.proc = proc,
                              .sys = sys,
                              .root = root,
                              .files = files,
                              .settings = settings,
                              .system = procfs::this_system(),
                              .window = std::chrono::minutes(5),
                              .sample_interval = std::chrono::seconds(1)};
  const auto collector = make(options.collector, host);
  print(run(*collector, options));
} catch (const std::exception& error) {
  std::fprintf(stderr, "sampler: %s\n", error.what());
  return 1;
}
