#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/signals/table.hpp"
#include "metrics/escape.hpp"

namespace collectors::signals {

struct DeviceLimits {
  std::size_t max_devices;
  std::chrono::nanoseconds window;            ///< For how long an extreme is seen at least.
  bool (*is_ignored)(std::string_view name);  ///< Devices that are not even counted as left out.
};

/// The signals of the disks, or of the network devices: of a bounded number of them, chosen by
/// activity. `Counters` is DiskCounters or NetworkCounters. Not thread-safe.
///
/// A new device takes a free place. When there is none, it takes that of a device that vanished or,
/// once it does something, that of the one that has been idle for longest, if that has been for so
/// long that no sample of its work is within the window. A device that vanished keeps its place,
/// and is shown, until its last samples leave the window.
template <class Counters>
class DeviceSet {
 public:
  using Listed = typename Counters::Listed;

  DeviceSet(std::span<const Signal<Counters>> signals, const DeviceLimits& limits)
      : signals_(signals), limits_(limits), kept_for_(limits.window + limits.window / 60) {
    for (const auto& signal : signals) texts_.emplace_back(signal.name, signal.help, signal.form);
  }

  /// Takes what the kernel lists at `now`. `seconds` since the last call: a sample is over them;
  /// without, this reading is only what the next one is measured from.
  void update(Clock::time_point now, std::span<const Listed> listed,
              std::optional<double> seconds) {
    ++update_number_;
    const bool is_order_kept = follow(listed);
    const bool is_sample = std::exchange(is_continuous_, true) && is_order_kept && seconds;
    const double length = seconds.value_or(0);
    count_free_places();
    if (update_number_ == 1) give_places_to_busiest(listed, now);
    left_out_ = 0;
    for (std::size_t i = 0; i < listed.size(); ++i) {
      if (entries_[i].is_ignored) continue;
      const Counters counters(listed[i]);
      if (!entries_[i].place) entries_[i].place = find_place(entries_[i], counters, now);
      if (entries_[i].place) {
        auto& device = devices_[*entries_[i].place];
        if (is_sample) sample(device, counters, now, length);
        observe(device, counters, now);
      } else {
        ++left_out_;
      }
      entries_[i].counters = counters;
    }
    drop_expired(now);
  }

  /// The list could not be read: the next one is only to measure from.
  void skip() { is_continuous_ = false; }

  void settle(Clock::time_point now, double wall_seconds) {
    for (auto& device : devices_) {
      for (auto& record : device.records) record.settle(now, wall_seconds);
    }
  }

  void emit(metrics::Sink& sink) const {
    for (std::size_t i = 0; i < signals_.size(); ++i) {
      emit_signal(sink, texts_[i], [&](auto show) {
        for (const auto& device : devices_) {
          const metrics::Label label{"device", device.name};
          if (device.is_used()) show(metrics::Labels(&label, 1), device.records[i]);
        }
      });
    }
  }

  /// Devices of the last list that have no place.
  [[nodiscard]] std::size_t left_out() const { return left_out_; }

 private:
  /// A line of the kernel's list.
  struct Entry {
    std::string name;
    bool is_ignored = false;
    std::optional<std::size_t> place;  // in devices_
    std::optional<Counters> counters;  // of the last list
  };

  struct Device {
    std::string name;             // as a scraper reads it: no two are the same
    std::vector<Record> records;  // by signal; empty for a free place
    std::optional<Counters> counters;
    std::uint64_t updated = 0;  // the update it was last seen in
    Clock::time_point last_seen;
    std::optional<Clock::time_point> last_active;

    [[nodiscard]] bool is_used() const { return !records.empty(); }
  };

  /// Makes entries_ parallel to the list. False when it may be that devices only changed their
  /// names, so that the counters are not those of before: when known ones changed places, or one
  /// came and one went. Before Linux 5.5 network devices are listed by the hashes of their names,
  /// and two that swap names cannot be told.
  bool follow(std::span<const Listed> listed) {
    const auto is_same = [](const Entry& entry, const Listed& device) {
      return entry.name == device.name;
    };
    if (std::ranges::equal(entries_, listed, is_same)) return true;
    auto before = std::exchange(entries_, {});
    bool is_order_kept = true;
    bool has_new = false;
    std::size_t next = 0;
    for (const auto& device : listed) {
      const auto has_name = [&](const Entry& entry) { return entry.name == device.name; };
      const auto middle = before.begin() + static_cast<std::ptrdiff_t>(next);
      auto found = std::find_if(middle, before.end(), has_name);
      if (found == before.end()) {
        found = std::find_if(before.begin(), middle, has_name);
        if (found == middle) {
          entries_.push_back({std::string(device.name), limits_.is_ignored(device.name), {}, {}});
          has_new = has_new || !entries_.back().is_ignored;
          continue;
        }
        is_order_kept = false;
      } else {
        next = static_cast<std::size_t>(found - before.begin()) + 1;
      }
      entries_.push_back(std::exchange(*found, {}));
    }
    const auto has_gone = [](const Entry& entry) {
      return !entry.name.empty() && !entry.is_ignored;
    };
    const bool may_be_renamed =
        Counters::kIsKnownByNameOnly && has_new && std::ranges::any_of(before, has_gone);
    return is_order_kept && !may_be_renamed;
  }

  [[nodiscard]] bool is_listed(const Device& device) const {
    return device.updated + 1 >= update_number_;  // in this list or, not yet reached, the last one
  }

  void count_free_places() {
    const auto is_taken = [&](const Device& device) {
      return device.is_used() && is_listed(device);
    };
    const auto taken = std::ranges::count_if(devices_, is_taken);
    free_places_ = limits_.max_devices - static_cast<std::size_t>(taken);
  }

  /// Before any time has passed all there is to go by is what each has done since boot.
  void give_places_to_busiest(std::span<const Listed> listed, Clock::time_point now) {
    std::vector<std::size_t> ranking;
    for (std::size_t i = 0; i < listed.size(); ++i) {
      if (!entries_[i].is_ignored) ranking.push_back(i);
    }
    if (ranking.size() <= limits_.max_devices) return;  // the kernel's own order, then
    const auto work = [&](std::size_t i) { return Counters(listed[i]).work(); };
    std::ranges::stable_sort(ranking, std::greater(), work);
    ranking.resize(limits_.max_devices);
    for (const auto i : ranking) {
      entries_[i].place = find_place(entries_[i], Counters(listed[i]), now);
    }
  }

  std::optional<std::size_t> find_place(const Entry& entry, const Counters& counters,
                                        Clock::time_point now) {
    const bool is_active = entry.counters && counters.is_active_since(*entry.counters);
    // For a device that does nothing the answer is the same as at the last list.
    if (entry.counters && !is_active && free_places_ == 0) return std::nullopt;
    const auto name = metrics::repaired(entry.name);
    const auto same = std::ranges::find_if(
        devices_, [&](const Device& device) { return device.is_used() && device.name == name; });
    if (same != devices_.end()) {
      if (is_listed(*same)) return std::nullopt;  // it would be the same series
      --free_places_;
      return static_cast<std::size_t>(same - devices_.begin());  // it is back
    }
    const auto place = free_places_ > 0 ? take_free_place()
                       : is_active      ? take_idle_place(now)
                                        : std::nullopt;
    if (place) settle_in(devices_[*place], name, entry.counters);
    return place;
  }

  std::optional<std::size_t> take_free_place() {
    --free_places_;
    const auto unused = std::ranges::find_if_not(devices_, &Device::is_used);
    if (unused != devices_.end()) return static_cast<std::size_t>(unused - devices_.begin());
    if (devices_.size() < limits_.max_devices) {
      devices_.emplace_back();
      return devices_.size() - 1;
    }
    std::optional<std::size_t> longest_gone;
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      if (is_listed(devices_[i])) continue;
      if (!longest_gone || devices_[i].last_seen < devices_[*longest_gone].last_seen) {
        longest_gone = i;
      }
    }
    return longest_gone;
  }

  std::optional<std::size_t> take_idle_place(Clock::time_point now) {
    const auto idlest = std::ranges::min_element(devices_, {}, &Device::last_active);
    if (idlest == devices_.end()) return std::nullopt;
    if (idlest->last_active && now - *idlest->last_active <= kept_for_) return std::nullopt;
    const auto place = static_cast<std::size_t>(idlest - devices_.begin());
    for (auto& entry : entries_) {
      if (entry.place != place) continue;
      entry.place.reset();
      // Reached already, it is left out of this list after all.
      if (idlest->updated == update_number_) ++left_out_;
    }
    return place;
  }

  /// `counters`: of the last list, so that what the device did since is its first sample.
  void settle_in(Device& device, const std::string& name, const std::optional<Counters>& counters) {
    device = {};
    device.name = name;
    device.counters = counters;
    if (counters) device.updated = update_number_ - 1;
    device.records.reserve(signals_.size());
    for (const auto& signal : signals_) {
      device.records.emplace_back(signal.form, signal.edges, limits_.window);
    }
  }

  [[nodiscard]] bool was_listed(const Device& device) const {
    return device.counters && device.updated + 1 == update_number_;
  }

  void sample(Device& device, const Counters& counters, Clock::time_point now, double seconds) {
    if (!was_listed(device) || !counters.follows(*device.counters)) return;
    for (std::size_t i = 0; i < signals_.size(); ++i) {
      const auto value = signals_[i].value(*device.counters, counters, seconds);
      if (value) device.records[i].add(now, *value);
    }
  }

  void observe(Device& device, const Counters& counters, Clock::time_point now) {
    const bool is_active =
        was_listed(device) ? counters.is_active_since(*device.counters) : !counters.is_untouched();
    if (is_active) device.last_active = now;
    device.counters = counters;
    device.updated = update_number_;
    device.last_seen = now;
  }

  void drop_expired(Clock::time_point now) {
    for (auto& device : devices_) {
      if (device.is_used() && device.updated != update_number_ &&
          now - device.last_seen > kept_for_) {
        device = {};
      }
    }
  }

  std::span<const Signal<Counters>> signals_;
  DeviceLimits limits_;
  std::chrono::nanoseconds kept_for_;
  std::vector<FamilyTexts> texts_;  // by signal
  std::vector<Entry> entries_;
  std::vector<Device> devices_;
  std::size_t free_places_ = 0;  // in the update under way; a vanished device's is free
  std::size_t left_out_ = 0;
  std::uint64_t update_number_ = 0;
  bool is_continuous_ = true;
};

}  // namespace collectors::signals
