// The host's clock, from clock_gettime(2), localtime(3) and sysfs. Families of node_exporter.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/catalog.hpp"
#include "procfs/text.hpp"

namespace collectors {
namespace {

using metrics::Errc;
using metrics::Family;
using metrics::Result;
using procfs::KeptFile;

constexpr Family kTimeSeconds = {"node_time_seconds",
                                 "The host's clock in seconds since 1970, from clock_gettime(2)."};
constexpr Family kZoneOffset = {
    "node_time_zone_offset_seconds",
    "How far the time zone of the daemon is ahead of UTC, from localtime(3)."};
constexpr Family kAvailable = {
    "node_time_clocksource_available_info",
    "Clock sources the kernel can choose from, from "
    "/sys/devices/system/clocksource/clocksource<device>/available_clocksource."};
constexpr Family kCurrent = {
    "node_time_clocksource_current_info",
    "Clock source the kernel keeps time with, from "
    "/sys/devices/system/clocksource/clocksource<device>/current_clocksource."};

/// /sys/devices/system/clocksource/clocksource<device>.
struct ClockSource {
  std::string device;
  KeptFile available_file;
  KeptFile current_file;
  std::string_view available;  // names with blanks between them: a view into available_file
  std::string_view current;    // the same for current_file, where there is but one
};

/// Both files of all clock sources, not yet read.
Result<std::vector<ClockSource>> find_clock_sources(procfs::FileReader& sys) {
  constexpr std::string_view kPrefix = "clocksource";
  constexpr const char* kDirectory = "devices/system/clocksource";
  std::vector<std::string> names;
  if (const auto listed = sys.list(kDirectory, names); !listed) return listed.error();
  std::vector<ClockSource> found;
  for (const auto& name : names) {
    if (!name.starts_with(kPrefix)) continue;
    const auto path = std::string(kDirectory).append("/").append(name);
    found.push_back(
        {.device = name.substr(kPrefix.size()),
         .available_file = sys.keep(path + "/available_clocksource", procfs::Ending::short_read),
         .current_file = sys.keep(path + "/current_clocksource", procfs::Ending::short_read),
         .available = {},
         .current = {}});
  }
  return found;
}

Result<void> read_names(KeptFile& file, std::string_view& names) {
  auto text = file.read();
  if (!text) return text.error();
  names = procfs::take_line(*text);
  auto rest = names;
  if (procfs::take_field(rest).empty()) return procfs::malformed(file.path(), names);
  return {};
}

class Time final : public Collector {
 public:
  explicit Time(const Host& host) : host_(host) {}

  Result<void> refresh(Clock::time_point /*now*/) override {
    wall_clock_ = host_.system.wall_clock();
    auto read = read_clock_sources();
    if (read) return read;
    clock_sources_.clear();
    const auto code = read.error().code;
    const bool absent = code == Errc::gone || code == Errc::unsupported || code == Errc::denied;
    if (absent) return {};  // the clock itself is there all the same
    return read;
  }

  void emit(metrics::Sink& sink) const override {
    sink.single(kTimeSeconds, wall_clock_.seconds);
    sink.family(kZoneOffset);
    sink.sample({{"time_zone", wall_clock_.time_zone}},
                static_cast<double>(wall_clock_.utc_offset_seconds));
    if (clock_sources_.empty()) return;
    emit_names(sink, kAvailable, &ClockSource::available);
    emit_names(sink, kCurrent, &ClockSource::current);
  }

  static void list(metrics::FamilyList& list) {
    list.add({kTimeSeconds});
    list.add({kZoneOffset}, "time_zone");
    list.add({kAvailable, kCurrent}, "clocksource,device");
  }

 private:
  /// Looks for clock sources only when none is known: they come with the kernel and stay.
  Result<void> read_clock_sources() {
    if (clock_sources_.empty()) {
      auto found = find_clock_sources(host_.sys);
      if (!found) return found.error();
      clock_sources_ = *std::move(found);
    }
    for (auto& source : clock_sources_) {
      if (auto read = read_names(source.available_file, source.available); !read) return read;
      if (auto read = read_names(source.current_file, source.current); !read) return read;
    }
    return {};
  }

  void emit_names(metrics::Sink& sink, const Family& family,
                  std::string_view ClockSource::*names) const {
    sink.family(family);
    for (const auto& source : clock_sources_) {
      auto rest = source.*names;
      for (auto name = procfs::take_field(rest); !name.empty(); name = procfs::take_field(rest)) {
        sink.sample({{"clocksource", name}, {"device", source.device}}, 1);
      }
    }
  }

  Host host_;
  procfs::System::WallClock wall_clock_;
  std::vector<ClockSource> clock_sources_;
};

}  // namespace

constinit const CollectorSpec kTime = {
    "time",
    "The clock, its time zone and what the kernel keeps time with (/sys).",
    true,
    Reads::memory,
    make_collector<Time>,
    Time::list};

}  // namespace collectors
