#include "bench/loopback.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>
#include <system_error>

#include "bench/measure.hpp"

namespace bench {

int connect_to(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // The socket API takes every kind of address as a sockaddr.
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (socket < 0 || ::connect(socket, generic, sizeof address) != 0) throw_errno("connect");
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

std::string_view field_of(std::string_view head, std::string_view name) {
  constexpr std::string_view kLineEnd = "\r\n";
  while (!head.empty()) {
    const auto line = head.substr(0, head.find(kLineEnd));
    head.remove_prefix(std::min(head.size(), line.size() + kLineEnd.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !equal_ignoring_case(line.substr(0, colon), name)) {
      continue;
    }
    const auto start = line.find_first_not_of(' ', colon + 1);
    return start == std::string_view::npos ? std::string_view{} : line.substr(start);
  }
  return {};
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return left.size() == right.size() && strncasecmp(left.data(), right.data(), left.size()) == 0;
}

std::size_t to_size(std::string_view digits, int base) {
  std::size_t size = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), size, base).ec != std::errc{}) {
    throw std::runtime_error("not a length: " + std::string(digits));
  }
  return size;
}

}  // namespace bench
