#include "bench/http_connection.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

#include "bench/loopback.hpp"
#include "bench/measure.hpp"

namespace bench {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr int kPatienceSeconds = 60;

}  // namespace

HttpConnection::~HttpConnection() { close(); }

void HttpConnection::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

void HttpConnection::connect() {
  socket_ = connect_to(port_);
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
  response.is_gzip = equal_ignoring_case(field_of(head, "Content-Encoding"), "gzip");
  bool server_closes =
      head.starts_with("HTTP/1.0") || equal_ignoring_case(field_of(head, "Connection"), "close");
  if (equal_ignoring_case(field_of(head, "Transfer-Encoding"), "chunked")) {
    read_chunks(head_bytes, response.body);
  } else if (const auto length = field_of(head, "Content-Length"); !length.empty()) {
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
