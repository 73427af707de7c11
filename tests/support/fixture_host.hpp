// A host made of files, so that a test sees the data next to the assertion.
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "collectors/collector.hpp"
#include "metrics/text_encoder.hpp"
#include "tests/support/damage.hpp"
#include "tests/support/file_tree.hpp"

namespace tests {

inline procfs::FileReader open_mount(const std::filesystem::path& path) {
  auto reader = procfs::FileReader::open(path.string());
  if (!reader) throw std::runtime_error(reader.error().detail);
  return *std::move(reader);
}

/// A Host whose /proc, /sys and / are folders of `path`; 100 ticks a second, 4 KiB pages, and a
/// fixed uname and wall clock; never suspended.
class FixtureHost {
 public:
  explicit FixtureHost(const std::filesystem::path& path)
      : proc_(open_mount(path / "proc")),
        sys_(open_mount(path / "sys")),
        root_(open_mount(path / "root")) {}

  collectors::Settings settings;
  collectors::Host host{
      .proc = proc_,
      .sys = sys_,
      .root = root_,
      .files = files_,
      .settings = settings,
      .system = {.names =
                     [] {
                       return procfs::System::Names{"Linux",  "fixture", "6.1.0-0",
                                                    "#1 SMP", "x86_64",  "(none)"};
                     },
                 .wall_clock =
                     [] {
                       return procfs::System::WallClock{1700000000.25, "CET", 3600};
                     },
                 .suspended = [] { return std::chrono::nanoseconds(0); },
                 .ticks_per_second = 100,
                 .page_bytes = 4096},
      .window = std::chrono::minutes(5),
      .sample_interval = std::chrono::seconds(1)};

 private:
  procfs::FileReader proc_;
  procfs::FileReader sys_;
  procfs::FileReader root_;
  procfs::HostFiles files_{proc_};
};

/// What `collector` puts on a text 0.0.4 page.
inline std::string page_of(const collectors::Collector& collector) {
  metrics::TextEncoder encoder(metrics::TextFormat::prometheus_0_0_4);
  collector.emit(encoder);
  return std::string(encoder.text());
}

/// The page without its # lines: the samples alone.
inline std::string samples_of(const collectors::Collector& collector) {
  const auto page = page_of(collector);
  std::string samples;
  for (std::size_t at = 0; at < page.size();) {
    const auto end = page.find('\n', at) + 1;
    if (page[at] != '#') samples.append(page, at, end - at);
    at = end;
  }
  return samples;
}

/// A point in time `seconds` after an arbitrary start.
inline procfs::Clock::time_point at_second(double seconds) {
  return procfs::Clock::time_point(std::chrono::hours(1)) +
         std::chrono::duration_cast<procfs::Clock::duration>(
             std::chrono::duration<double>(seconds));
}

}  // namespace tests
