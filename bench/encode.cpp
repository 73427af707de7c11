// What the text of one sample costs: metrics::TextEncoder against prometheus-cpp's TextSerializer,
// over the same made-up host page. Prints one JSON object of nanoseconds of CPU per sample.
//
//   encode --repetitions 5 --milliseconds 200

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bench/host_page.hpp"
#include "bench/measure.hpp"
#include "metrics/text_encoder.hpp"

namespace {

using bench::HostPage;

/// One way to make the page. Returns it so that nothing can be optimised away, and the pages can be
/// compared.
struct Contender {
  const char* name;
  std::function<std::string_view()> make_page;
  std::vector<double> nanoseconds_per_sample;
};

std::string_view encode(metrics::TextEncoder& encoder, const HostPage& page,
                        metrics::TextFormat format) {
  encoder.restart(format);
  metrics::Sink& sink = encoder;
  for (const auto& family : page.families()) {
    sink.family(family.description);
    for (const auto& sample : family.samples) sink.sample(sample.labels, sample.value);
  }
  encoder.finish();
  return encoder.text();
}

prometheus::MetricType type_of(metrics::Kind kind) {
  switch (kind) {
    case metrics::Kind::counter:
      return prometheus::MetricType::Counter;
    case metrics::Kind::gauge:
      return prometheus::MetricType::Gauge;
    default:
      return prometheus::MetricType::Untyped;
  }
}

/// What a collector built on prometheus-cpp returns at each scrape.
std::vector<prometheus::MetricFamily> build(const HostPage& page) {
  std::vector<prometheus::MetricFamily> families;
  families.reserve(page.families().size());
  for (const auto& family : page.families()) {
    auto& built = families.emplace_back();
    built.name = family.description.name;
    built.help = family.description.help;
    built.type = type_of(family.description.kind);
    built.metric.reserve(family.samples.size());
    for (const auto& sample : family.samples) {
      auto& metric = built.metric.emplace_back();
      for (const auto& label : sample.labels) {
        metric.label.push_back({std::string(label.name), std::string(label.value)});
      }
      metric.counter.value = metric.gauge.value = metric.untyped.value = sample.value;
    }
  }
  return families;
}

std::size_t count_samples(std::string_view page) {
  const auto lines = std::count(page.begin(), page.end(), '\n');
  std::ptrdiff_t comments = page.starts_with('#') ? 1 : 0;
  for (auto at = page.find("\n#"); at != page.npos; at = page.find("\n#", at + 1)) ++comments;
  return static_cast<std::size_t>(lines - comments);
}

double time_of(const Contender& contender, std::size_t samples, int milliseconds) {
  const auto start = bench::own_cpu_nanoseconds();
  const auto end = start + std::int64_t{milliseconds} * 1'000'000;
  int pages = 0;
  auto now = start;
  for (; now < end; now = bench::own_cpu_nanoseconds()) {
    // Several pages per look at the clock, which is a system call.
    for (int i = 0; i < 4; ++i, ++pages) {
      if (contender.make_page().empty()) throw std::runtime_error("empty page");
    }
  }
  return static_cast<double>(now - start) / static_cast<double>(samples) / pages;
}

void print(const std::vector<Contender>& contenders, std::size_t samples) {
  std::printf("{\"samples\": %zu", samples);
  for (const auto& contender : contenders) {
    std::printf(", \"%s_ns\": %.2f", contender.name,
                bench::median(contender.nanoseconds_per_sample));
  }
  std::printf("}\n");
}

void run(int repetitions, int milliseconds) {
  const HostPage page;
  const auto samples = page.sample_count();
  metrics::TextEncoder encoder(metrics::TextFormat::prometheus_0_0_4);
  const prometheus::TextSerializer library;
  const prometheus::Serializer& serializer = library;
  const auto built = build(page);
  std::string text;
  std::vector<Contender> contenders = {
      {"text_encoder",
       [&] { return encode(encoder, page, metrics::TextFormat::prometheus_0_0_4); },
       {}},
      {"openmetrics_encoder",
       [&] { return encode(encoder, page, metrics::TextFormat::openmetrics_1_0_0); },
       {}},
      {"prometheus_cpp_serialize",
       [&]() -> std::string_view { return text = serializer.Serialize(built); },
       {}},
      {"prometheus_cpp_build_and_serialize",
       [&]() -> std::string_view { return text = serializer.Serialize(build(page)); },
       {}},
  };
  for (const auto& contender : contenders) {
    if (count_samples(contender.make_page()) != samples) throw std::runtime_error(contender.name);
  }
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    for (auto& contender : contenders) {
      contender.nanoseconds_per_sample.push_back(time_of(contender, samples, milliseconds));
    }
  }
  print(contenders, samples);
}

}  // namespace

int main(int argc, char** argv) try {
  int repetitions = 5;
  int milliseconds = 200;
  CLI::App app{"Nanoseconds per sample of the text encoders"};
  app.add_option("--repetitions", repetitions, "The median of them is the result");
  app.add_option("--milliseconds", milliseconds, "CPU time per repetition and encoder");
  CLI11_PARSE(app, argc, argv);
  run(repetitions, milliseconds);
} catch (const std::exception& error) {
  std::fprintf(stderr, "encode: %s\n", error.what());
  return 1;
}
