#include "bench/http_connection.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <system_error>

namespace bench {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr int kPatienceSeconds = 60;

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return left.size() == right.size() && strncasecmp(left.data(), right.data(), left.size()) == 0;
}

/// The value of a header field, empty when it is not there.
std::string_view field(std::string_view head, std::string_view name) {
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

std::size_t to_size(std::string_view digits, int base) {
  std::size_t size = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), size, base).ec != std::errc{}) {
    throw std::runtime_error("not a length: " + std::string(digits));
  }
  return size;
}

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

HttpConnection::~HttpConnection() { close(); }

void HttpConnection::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

void HttpConnection::connect() {
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // The socket API takes every kind of address as a sockaddr.
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (socket_ < 0 || ::connect(socket_, generic, sizeof address) != 0) throw_errno("connect");
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval patience{kPatienceSeconds, 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

/// False when the server has closed the connection.
bool HttpConnection::receive() {
  std::array<char, 1 << 17> bytes;
  const auto count = recv(socket_, bytes.data(), bytes.size(), 0);
  if (count < 0) throw_errno("recv");
  received_.append(bytes.data(), static_cast<std::size_t>(count));
  return count > 0;
}

void HttpConnection::receive_until(std::size_t bytes) {
  while (received_.size() < bytes) {
    if (!receive()) throw std::runtime_error("the server closed amid a response");
  }
}

std::size_t HttpConnection::find_or_receive(std::string_view text, std::size_t from) {
  for (;;) {
    const auto at = received_.find(text, from);
    if (at != std::string::npos) return at;
    receive_until(received_.size() + 1);
  }
}

/// Appends the chunks that start at `at`, and returns where they end.
std::size_t HttpConnection::read_chunks(std::size_t at, std::string& body) {
  for (;;) {
    const auto line_end = find_or_receive(kLineEnd, at);
    const auto bytes = to_size(std::string_view(received_).substr(at, line_end - at), 16);
    at = line_end + kLineEnd.size();
    receive_until(at + bytes + kLineEnd.size());
    body.append(received_, at, bytes);
    at += bytes + kLineEnd.size();
    if (bytes == 0) return at;
  }
}

HttpResponse HttpConnection::exchange(std::string_view request) {
  if (socket_ < 0) connect();
  if (send(socket_, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    throw_errno("send");
  }
  received_.clear();
  const auto head_bytes = find_or_receive(kHeadEnd, 0) + kHeadEnd.size();
  const auto head = received_.substr(0, head_bytes);
  HttpResponse response;
  response.status = static_cast<int>(to_size(std::string_view(head).substr(9, 3), 10));
  response.is_gzip = equal_ignoring_case(field(head, "Content-Encoding"), "gzip");
  bool server_closes =
      head.starts_with("HTTP/1.0") || equal_ignoring_case(field(head, "Connection"), "close");
  if (equal_ignoring_case(field(head, "Transfer-Encoding"), "chunked")) {
    read_chunks(head_bytes, response.body);
  } else if (const auto length = field(head, "Content-Length"); !length.empty()) {
    receive_until(head_bytes + to_size(length, 10));
    response.body = received_.substr(head_bytes);
  } else {
    while (receive()) continue;
    response.body = received_.substr(head_bytes);
    server_closes = true;
  }
  if (server_closes) close();
  return response;
}

}  // namespace bench
