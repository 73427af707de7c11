// Scrapes a page over and over like a Prometheus server, one request at a time over one connection,
// and charges the CPU time to the server: the difference of its process CPU clock. Prints one JSON
// object.
//
//   scrape_client --pid 4711 --port 8888 --scrapes 200
//
// A server of several processes is given as several --pid; their CPU and memory are added up.

#include <libdeflate.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/http_connection.hpp"
#include "bench/measure.hpp"

namespace {

using std::chrono::milliseconds;

/// What a server still does when the last byte has been sent (closing its pass, collecting garbage)
/// belongs to the scrape. The rest of a gap does not: there a sampler may tick.
constexpr milliseconds kSettleTime{20};

struct Options {
  std::vector<pid_t> pids;
  std::uint16_t port = 0;
  std::string path = "/metrics";
  int scrapes = 100;
  int warm_up = 3;
  milliseconds::rep gap_ms = 0;
  bool gzip = false;
  std::string save_path;
};

struct Memory {
  long resident_kib = 0;
  long peak_kib = 0;
};

struct Measurement {
  double cpu_ms = 0;  ///< Per scrape.
  std::vector<double> latencies_ms;
  bench::HttpResponse last;
};

std::string request_text(const Options& options) {
  return "GET " + options.path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options.port) +
         "\r\nUser-Agent: scrape_client\r\nAccept: text/plain;version=0.0.4\r\n" +
         (options.gzip ? "Accept-Encoding: gzip\r\n" : "") +
         "X-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n";
}

/// A value in KiB of /proc/<pid>/status.
long status_kib(pid_t pid, std::string_view key) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key)) return std::stol(line.substr(key.size()));
  }
  throw std::runtime_error("no " + std::string(key) + " of pid " + std::to_string(pid));
}

/// Pages that processes share count once in each: an upper bound for a server that forks.
Memory memory_of(const std::vector<pid_t>& pids) {
  Memory sum;
  for (const auto pid : pids) {
    sum.resident_kib += status_kib(pid, "VmRSS:");
    sum.peak_kib += status_kib(pid, "VmHWM:");
  }
  return sum;
}

std::int64_t cpu_nanoseconds_of(const std::vector<pid_t>& pids) {
  std::int64_t sum = 0;
  for (const auto pid : pids) sum += bench::cpu_nanoseconds_of(pid);
  return sum;
}

bench::HttpResponse scrape(bench::HttpConnection& connection, const std::string& request) {
  auto response = connection.exchange(request);
  if (response.status != 200) {
    throw std::runtime_error("status " + std::to_string(response.status));
  }
  return response;
}

/// Without gaps the CPU clock is read before the first and after the last scrape; with gaps around
/// every one, so that the work of the gaps is left out.
Measurement measure(const Options& options, bench::HttpConnection& connection) {
  const auto request = request_text(options);
  for (int i = 0; i < options.warm_up; ++i) scrape(connection, request);
  std::this_thread::sleep_for(kSettleTime);

  const bool has_gaps = options.gap_ms > 0;
  const int windows = has_gaps ? options.scrapes : 1;
  const int scrapes_per_window = has_gaps ? 1 : options.scrapes;
  Measurement result;
  std::int64_t cpu_nanoseconds = 0;
  for (int window = 0; window < windows; ++window) {
    std::this_thread::sleep_for(milliseconds(options.gap_ms));
    const auto cpu_before = cpu_nanoseconds_of(options.pids);
    for (int i = 0; i < scrapes_per_window; ++i) {
      const auto start = bench::wall_nanoseconds();
      result.last = scrape(connection, request);
      result.latencies_ms.push_back(static_cast<double>(bench::wall_nanoseconds() - start) / 1e6);
    }
    std::this_thread::sleep_for(kSettleTime);
    cpu_nanoseconds += cpu_nanoseconds_of(options.pids) - cpu_before;
  }
  result.cpu_ms = static_cast<double>(cpu_nanoseconds) / 1e6 / options.scrapes;
  return result;
}

std::string gunzip(const std::string& compressed) {
  if (compressed.size() < 18) throw std::runtime_error("too short for gzip");
  // The last four bytes say how long the text is.
  std::size_t text_bytes = 0;
  for (std::size_t i = 1; i <= 4; ++i) {
    text_bytes = text_bytes << 8U | static_cast<unsigned char>(compressed[compressed.size() - i]);
  }
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)>
      decompressor(libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
  std::string text(text_bytes, '\0');
  if (libdeflate_gzip_decompress(decompressor.get(), compressed.data(), compressed.size(),
                                 text.data(), text.size(), nullptr) != LIBDEFLATE_SUCCESS) {
    throw std::runtime_error("damaged gzip");
  }
  return text;
}

std::size_t count_samples(std::string_view page) {
  std::size_t samples = 0;
  while (!page.empty()) {
    if (page.front() != '#' && page.front() != '\n') ++samples;
    page.remove_prefix(std::min(page.find('\n'), page.size() - 1) + 1);
  }
  return samples;
}

void run(const Options& options) {
  bench::HttpConnection connection(options.port);
  const auto result = measure(options, connection);
  const auto memory = memory_of(options.pids);
  const auto page = result.last.is_gzip ? gunzip(result.last.body) : result.last.body;
  if (!options.save_path.empty()) std::ofstream(options.save_path) << page;
  std::printf(
      "{\"scrapes\": %d, \"cpu_ms\": %.5f, \"p50_ms\": %.4f, \"p99_ms\": %.4f, \"rss_kib\": %ld, "
      "\"peak_rss_kib\": %ld, \"body_bytes\": %zu, \"wire_bytes\": %zu, \"samples\": %zu}\n",
      options.scrapes, result.cpu_ms, bench::median(result.latencies_ms),
      bench::quantile(result.latencies_ms, 0.99), memory.resident_kib, memory.peak_kib, page.size(),
      result.last.body.size(), count_samples(page));
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app{"Scrapes a page and measures what that costs the server"};
  app.add_option("--pid", options.pids, "Process of the server, may be repeated")->required();
  app.add_option("--port", options.port, "Port on 127.0.0.1")->required();
  app.add_option("--path", options.path, "Path of the page");
  app.add_option("--scrapes", options.scrapes, "Measured scrapes")->check(CLI::PositiveNumber);
  app.add_option("--warm-up", options.warm_up, "Scrapes before, not measured");
  app.add_option("--gap-ms", options.gap_ms, "Pause before each measured scrape");
  app.add_flag("--gzip", options.gzip, "Accept a compressed page");
  app.add_option("--save", options.save_path, "File for the last page");
  CLI11_PARSE(app, argc, argv);
  run(options);
} catch (const std::exception& error) {
  std::fprintf(stderr, "scrape_client: %s\n", error.what());
  return 1;
}
