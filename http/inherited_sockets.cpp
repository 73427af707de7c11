#include "http/inherited_sockets.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace http {
namespace {

constexpr int kFirstDescriptor = 3;
constexpr int kMostSockets = 64;

std::optional<int> number_in_environment(const char* name) {
  const auto* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  if (value == nullptr) return std::nullopt;
  const std::string_view text(value);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::vector<int> inherited_sockets() {
  const auto process = number_in_environment("LISTEN_PID");
  const auto count = number_in_environment("LISTEN_FDS");
  for (const auto* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
    ::unsetenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  }
  std::vector<int> descriptors;
  if (process != ::getpid() || !count || *count > kMostSockets) return descriptors;
  for (int descriptor = kFirstDescriptor; descriptor < kFirstDescriptor + *count; ++descriptor) {
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    descriptors.push_back(descriptor);
  }
  return descriptors;
}

}  // namespace http
