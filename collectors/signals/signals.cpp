// What happened between two scrapes: each second is sampled, and handed on as histograms that only
// grow and as extremes of a sliding window, so that any number of scrapers see all of it however
// seldom they come.
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/catalog.hpp"
#include "collectors/device_names.hpp"
#include "collectors/signals/beats.hpp"
#include "collectors/signals/devices.hpp"
#include "collectors/signals/reading.hpp"
#include "collectors/signals/record.hpp"
#include "collectors/signals/table.hpp"

namespace collectors {
namespace {

using metrics::Family;
using metrics::Kind;
using signals::File;

constexpr std::string_view kName = "signals";
constexpr std::uint64_t kMostDevices = 4096;
constexpr Setting kMaxDevices = {
    "max-devices", "Most disks, and most network devices, that have signals (0 to 4096)", "32"};
constexpr Setting kVirtualDevices = {
    "virtual-devices", "Signals of virtual disks and network devices, too (true or false)",
    "false"};
constexpr std::array kSettings = {kMaxDevices, kVirtualDevices};

constexpr Family kOomKills = {"host_oom_kills_total",
                              "Processes killed for want of memory, from /proc/vmstat (oom_kill).",
                              Kind::counter};
constexpr Family kSampled = {
    "host_seconds_sampled_total",
    "Time that the signals have samples of: ticks that came, times --sample-interval.",
    Kind::counter};
constexpr Family kMissed = {
    "host_seconds_missed_total",
    "Time without samples: ticks that did not come, or too late, times --sample-interval; and the "
    "time that the host was suspended.",
    Kind::counter};
constexpr Family kFailures = {"host_signal_read_failures_total",
                              "Ticks at which a file below /proc could not be read or understood.",
                              Kind::counter};
constexpr Family kLeftOut = {
    "host_signal_devices_left_out",
    "Devices of /proc/diskstats and /proc/net/dev without signals: beyond "
    "--collector.signals.max-devices, or of a name that is shown already."};

/// The signals of which a host has one.
class HostSignals {
 public:
  explicit HostSignals(std::chrono::nanoseconds window) {
    for (const auto& signal : signals::host_signals()) {
      if (families_.empty() || families_.back().name != signal.name) {
        families_.push_back({signal.name, {signal.name, signal.help, signal.form}, {}});
      }
      families_.back().series.push_back({&signal, {signal.form, signal.edges, window}});
    }
  }

  void update(Clock::time_point now, const signals::HostReading& before,
              const signals::HostReading& reading, const signals::Files& files,
              std::optional<double> seconds) {
    for (auto& family : families_) {
      for (auto& series : family.series) {
        const auto& signal = *series.signal;
        if (files.was_read(signal.file)) {
          series.is_shown = signal.is_there == nullptr || signal.is_there(reading);
        }
        if (!seconds) continue;
        const auto value = signal.value(before, reading, *seconds);
        if (value) series.record.add(now, *value);
      }
    }
  }

  void settle(Clock::time_point now, double wall_seconds) {
    for (auto& family : families_) {
      for (auto& series : family.series) series.record.settle(now, wall_seconds);
    }
  }

  void emit(metrics::Sink& sink) const {
    for (const auto& family : families_) {
      signals::emit_signal(sink, family.texts, [&](auto show) {
        for (const auto& series : family.series) {
          if (series.is_shown) show(series.signal->labels, series.record);
        }
      });
    }
  }

 private:
  struct Series {
    const signals::HostSignal* signal;
    signals::Record record;
    bool is_shown = false;
  };
  struct SignalFamily {
    std::string_view name;
    signals::FamilyTexts texts;
    std::vector<Series> series;
  };

  std::vector<SignalFamily> families_;
};

class Signals final : public Collector {
 public:
  explicit Signals(const Host& host)
      : host_(host),
        beats_(host.sample_interval),
        files_(host),
        host_signals_(window_of(host)),
        disks_(signals::disk_signals(), limits(host, is_ignored_disk, is_part_of_disk)),
        network_(signals::network_signals(),
                 limits(host, is_virtual_interface, [](std::string_view) { return false; })) {}

  void tick(Clock::time_point now) override {
    const auto tick = beats_.tick(now, host_.system.suspended());
    if (tick.use == signals::Beats::Use::merged) return;
    has_ticked_ = true;
    const bool is_sample = tick.use == signals::Beats::Use::sample;
    const auto seconds = is_sample ? std::optional(tick.seconds) : std::nullopt;
    const auto& before = readings_[newest_];
    newest_ = 1 - newest_;
    files_.read_host(now, readings_[newest_]);
    host_signals_.update(now, before, readings_[newest_], files_, seconds);
    update(disks_, now, files_.read_disks(now), seconds);
    update(network_, now, files_.read_network(now), seconds);
  }

  /// Other files than /proc/stat may fail at one tick and be well at the next: kFailures tells.
  metrics::Result<void> refresh(Clock::time_point now) override {
    const auto& stat = host_.files.stat.at(now);
    if (!stat) return stat.error();
    if (!has_ticked_) tick(now);
    const auto& vmstat = host_.files.vmstat.at(now);
    oom_kills_ = vmstat ? vmstat->find("oom_kill") : std::nullopt;
    const auto wall_seconds = host_.system.wall_clock().seconds;
    host_signals_.settle(now, wall_seconds);
    disks_.settle(now, wall_seconds);
    network_.settle(now, wall_seconds);
    return {};
  }

  void emit(metrics::Sink& sink) const override {
    host_signals_.emit(sink);
    disks_.emit(sink);
    network_.emit(sink);
    if (oom_kills_) sink.single(kOomKills, static_cast<double>(*oom_kills_));
    sink.single(kSampled, beats_.sampled_seconds());
    sink.single(kMissed, beats_.missed_seconds());
    sink.family(kFailures);
    for (std::size_t i = 0; i < signals::kFileNames.size(); ++i) {
      sink.sample({{"file", signals::kFileNames[i]}},
                  static_cast<double>(files_.failures(static_cast<File>(i))));
    }
    sink.family(kLeftOut);
    sink.sample({{"kind", "disk"}}, static_cast<double>(disks_.left_out()));
    sink.sample({{"kind", "network"}}, static_cast<double>(network_.left_out()));
  }

  static void list(metrics::FamilyList& list) {
    std::string_view before;
    for (const auto& signal : signals::host_signals()) {
      std::string labels;
      for (const auto& label : signal.labels) {
        labels.append(labels.empty() ? "" : ",").append(label.name);
      }
      if (std::exchange(before, signal.name) != signal.name) list_signal(list, signal, labels);
    }
    for (const auto& signal : signals::disk_signals()) list_signal(list, signal, "device");
    for (const auto& signal : signals::network_signals()) list_signal(list, signal, "device");
    list.add({kOomKills, kSampled, kMissed});
    list.add({kFailures}, "file");
    list.add({kLeftOut}, "kind");
  }

 private:
  using IsIgnored = bool (*)(std::string_view name);

  static std::chrono::nanoseconds window_of(const Host& host) { return 2 * host.window; }

  static bool is_ignored_disk(std::string_view name) {
    return is_part_of_disk(name) || is_virtual_disk(name);
  }

  static signals::DeviceLimits limits(const Host& host, IsIgnored by_default,
                                      IsIgnored with_virtual_devices) {
    const bool has_virtual = host.settings.truth(kName, kVirtualDevices);
    return {.max_devices = host.settings.number(kName, kMaxDevices, 0, kMostDevices),
            .window = window_of(host),
            .is_ignored = has_virtual ? with_virtual_devices : by_default};
  }

  template <class Signal>
  static void list_signal(metrics::FamilyList& list, const Signal& signal,
                          std::string_view labels) {
    signals::FamilyTexts(signal.name, signal.help, signal.form).list(list, labels);
  }

  template <class Set, class Listed>
  static void update(Set& set, Clock::time_point now, const std::vector<Listed>* listed,
                     std::optional<double> seconds) {
    listed == nullptr ? set.skip() : set.update(now, *listed, seconds);
  }

  Host host_;
  signals::Beats beats_;
  signals::Files files_;
  std::array<signals::HostReading, 2> readings_;  // of the last two ticks
  std::size_t newest_ = 0;
  bool has_ticked_ = false;
  HostSignals host_signals_;
  signals::DeviceSet<signals::DiskCounters> disks_;
  signals::DeviceSet<signals::NetworkCounters> network_;
  std::optional<std::uint64_t> oom_kills_;
};

}  // namespace

constinit const CollectorSpec kSignals = {
    "signals",
    "What happened between two scrapes: each second's samples, as histograms and peaks.",
    true,
    Reads::memory,
    make_collector<Signals>,
    Signals::list,
    kSettings};

}  // namespace collectors
