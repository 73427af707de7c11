#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace exporter {

/// Talks to systemd as sd_notify(3) describes; does nothing where the daemon was started by
/// something else. One thread.
class ServiceManager {
 public:
  /// Takes NOTIFY_SOCKET and WATCHDOG_USEC from the environment.
  ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;
  ServiceManager(ServiceManager&&) = delete;
  ServiceManager& operator=(ServiceManager&&) = delete;
  ~ServiceManager();

  /// Sends a state such as "READY=1".
  void notify(std::string_view state) const;

  /// How often "WATCHDOG=1" is due: half of what systemd allows. Nothing without a watchdog.
  [[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval() const;

 private:
  int socket_ = -1;
  std::string path_;
};

}  // namespace exporter
