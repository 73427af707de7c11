#pragma once

#include <optional>
#include <string>

#include "procfs/file_reader.hpp"

namespace service {

/// What the kernel says of this process. What it does not say is nothing. Not thread-safe.
class OwnProcess {
 public:
  /// `folder` is /proc/self, or a test's.
  explicit OwnProcess(const std::string& folder = "/proc/self");

  struct Memory {
    double virtual_bytes = 0;
    double resident_bytes = 0;
  };
  /// As now, from `statm`.
  std::optional<Memory> memory();

  /// When the process began, in seconds since the epoch: its age, from `stat`, before the wall
  /// clock as it was when this object was made.
  [[nodiscard]] std::optional<double> start_time_seconds() const { return start_time_seconds_; }

  /// User and system time that it has used, from getrusage(2).
  static double cpu_seconds();

 private:
  std::optional<procfs::FileReader> folder_;
  std::optional<procfs::KeptFile> statm_;
  std::optional<double> start_time_seconds_;
};

}  // namespace service
