#include "exporter/service_manager.hpp"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>

#include "tests/support/fixture_host.hpp"

using exporter::ServiceManager;

namespace {

/// What systemd would be: a datagram socket at `path`.
class Listener {
 public:
  explicit Listener(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(path.begin(), path.end(), static_cast<char*>(address.sun_path));
    REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { ::close(socket_); }

  [[nodiscard]] std::string receive() const {
    std::array<char, 64> text;
    const auto size = ::recv(socket_, text.data(), text.size(), MSG_DONTWAIT);
    return size < 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(size));
  }

 private:
  int socket_;
};

}  // namespace

TEST_CASE("states reach the service manager that NOTIFY_SOCKET names") {
  const tests::FileTree tree;
  const auto path = (tree.path() / "notify").string();
  const Listener listener(path);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  const ServiceManager manager;
  ::unsetenv("NOTIFY_SOCKET");
  manager.notify("READY=1");
  CHECK(listener.receive() == "READY=1");
}

TEST_CASE("without a service manager nothing is sent and nothing fails") {
  ::unsetenv("NOTIFY_SOCKET");
  const ServiceManager manager;
  manager.notify("READY=1");
  CHECK_FALSE(manager.watchdog_interval());
}

TEST_CASE("the watchdog is fed twice in the time it allows") {
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  CHECK(ServiceManager().watchdog_interval() == std::chrono::seconds(15));
  ::setenv("WATCHDOG_PID", "1", 1);  // meant for another process
  CHECK_FALSE(ServiceManager().watchdog_interval());
  ::unsetenv("WATCHDOG_PID");
  ::unsetenv("WATCHDOG_USEC");
}
