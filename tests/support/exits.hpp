// Children that end, and what a listener hears of them.
#pragma once

#include <linux/capability.h>
#include <linux/taskstats.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "netlink/exit_listener.hpp"
#include "netlink/socket.hpp"
#include "tests/support/skip.hpp"

namespace tests {

inline constexpr std::size_t kLargeBuffer = 64U << 20U;

inline std::string possible_cpus() {
  std::string text;
  std::getline(std::ifstream("/sys/devices/system/cpu/possible"), text);
  return text;
}

inline bool has_net_admin() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  return ::syscall(SYS_capget, &header, data.data()) == 0 &&
         ((data[0].effective >> static_cast<unsigned>(CAP_NET_ADMIN)) & 1U) == 1;
}

inline bool has_family() {
  const auto descriptor = netlink::open_socket();
  if (!descriptor) return false;
  const auto family = netlink::find_family(*descriptor, TASKSTATS_GENL_NAME);
  ::close(*descriptor);
  return bool(family);
}

/// Nothing where the kernel refuses us, and then the test is skipped and returns.
inline std::optional<netlink::ExitListener> open_or_skip(std::size_t receive_buffer_bytes) {
  auto listener = netlink::ExitListener::open(possible_cpus(), receive_buffer_bytes);
  if (listener) return *std::move(listener);
  skip(listener.error().detail, has_family() && ::geteuid() == 0 && has_net_admin());
  return std::nullopt;
}

template <class Body>
pid_t run_child(Body body) {
  const auto child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  REQUIRE(child > 0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return child;
}

/// A child that does nothing; ten times as fast as fork() in a program with sanitizers.
inline pid_t run_brief_child() {
  const auto child = ::vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork)
  if (child == 0) ::_exit(0);
  REQUIRE(child > 0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  return child;
}

/// Everything that is in the queue.
inline std::vector<netlink::TaskExit> drain_all(netlink::ExitListener& listener) {
  std::vector<netlink::TaskExit> exits;
  bool is_empty = false;
  while (!is_empty) {
    const auto drained =
        listener.drain([&](const netlink::TaskExit& exit) { exits.push_back(exit); });
    REQUIRE(drained);
    REQUIRE(drained->malformed == 0);
    is_empty = drained->is_empty;
  }
  return exits;
}

inline std::uint64_t dropped_by(netlink::ExitListener& listener) {
  const auto dropped = listener.dropped();
  REQUIRE(dropped);
  return *dropped;
}

}  // namespace tests
