#include "exporter/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>

namespace exporter {
namespace {

std::string environment(const char* name) {
  const auto* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

ServiceManager::ServiceManager() : path_(environment("NOTIFY_SOCKET")) {
  if (path_.empty() || path_.size() >= sizeof(sockaddr_un::sun_path)) return;
  socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

ServiceManager::~ServiceManager() {
  if (socket_ >= 0) ::close(socket_);
}

void ServiceManager::notify(std::string_view state) const {
  if (socket_ < 0) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  auto* name = static_cast<char*>(address.sun_path);
  std::copy(path_.begin(), path_.end(), name);
  if (name[0] == '@') name[0] = '\0';  // an abstract socket
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
  // A lost message shows by itself: systemd waits for READY=1 or restarts without WATCHDOG=1.
  (void)::sendto(socket_, state.data(), state.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&address), size);  // NOLINT: the socket API
}

std::optional<std::chrono::microseconds> ServiceManager::watchdog_interval() const {
  const auto text = environment("WATCHDOG_USEC");
  const auto process = environment("WATCHDOG_PID");
  if (!process.empty() && process != std::to_string(::getpid())) return std::nullopt;
  std::uint64_t allowed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), allowed);
  if (error != std::errc{} || allowed == 0) return std::nullopt;
  return std::chrono::microseconds(allowed / 2);
}

}  // namespace exporter
