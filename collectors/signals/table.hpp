// The table of the signals: a new one is a row in table.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "collectors/signals/reading.hpp"
#include "collectors/signals/record.hpp"

namespace collectors::signals {

/// A row: what is measured, and in which forms it is handed on.
template <class Reading>
struct Signal {
  std::string_view name;  ///< Without `host_` in front.
  std::string_view help;  ///< Names the kernel source.
  Form form;
  std::span<const double> edges;  ///< Of the histogram's buckets; empty for a form without one.
  /// The sample of the `seconds` between two ticks. Nothing when they do not tell: a file could not
  /// be read, a counter went back.
  std::optional<double> (*value)(const Reading& before, const Reading& now, double seconds);
};

/// A row for what there is once on a host.
struct HostSignal : Signal<HostReading> {
  File file;
  /// Rows that follow each other under one name are told apart by these.
  std::span<const metrics::Label> labels = {};
  /// Whether the file, when it can be read, has what this needs; null for always.
  bool (*is_there)(const HostReading& reading) = nullptr;
};

/// In the order of the page.
std::span<const HostSignal> host_signals();
std::span<const Signal<DiskCounters>> disk_signals();
std::span<const Signal<NetworkCounters>> network_signals();

}  // namespace collectors::signals
