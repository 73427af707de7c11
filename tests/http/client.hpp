// A client on a plain socket, for what no well-behaved client library would send. It never waits:
// the server under test runs in the same thread.
#pragma once

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace tests {

struct Reply {
  int status = 0;
  std::string header;  ///< With the status line and the empty line.
  std::string body;

  /// The value of the field `name`, spelled so, or "".
  [[nodiscard]] std::string field(std::string_view name) const {
    const auto at = header.find("\r\n" + std::string(name) + ": ");
    if (at == std::string::npos) return {};
    const auto begin = at + name.size() + 4;
    return header.substr(begin, header.find("\r\n", begin) - begin);
  }
};

class Client {
 public:
  struct Options {
    const char* source = nullptr;  ///< Address to come from; for IPv4.
    int receive_buffer_bytes = 0;  ///< 0 for the kernel's choice.
  };

  /// Not connected yet, but with its descriptor.
  explicit Client(int family = AF_INET) : fd_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  explicit Client(const boost::asio::ip::tcp::endpoint& server)
      : Client(server.protocol().family()) {
    connect(server);
  }
  Client(const boost::asio::ip::tcp::endpoint& server, const Options& options) : Client() {
    if (options.receive_buffer_bytes > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &options.receive_buffer_bytes, sizeof(int));
    }
    if (options.source != nullptr) {
      sockaddr_in source{};
      source.sin_family = AF_INET;
      ::inet_pton(AF_INET, options.source, &source.sin_addr);
      const auto* address = reinterpret_cast<const sockaddr*>(&source);
      if (::bind(fd_, address, sizeof source) != 0) throw std::runtime_error("bind");
    }
    connect(server);
  }
  Client(Client&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        received_(std::move(other.received_)),
        is_closed_(other.is_closed_),
        is_reset_(other.is_reset_) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  Client& operator=(Client&&) = delete;
  ~Client() { close(); }

  /// On this host; the server need not have accepted when it returns.
  void connect(const boost::asio::ip::tcp::endpoint& server) const {
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd_, server.data(), static_cast<socklen_t>(server.size())) != 0) {
      throw std::system_error(errno, std::generic_category(), "connect");
    }
  }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  /// The server reads the end of the connection, this side can still receive.
  void finish_sending() const { ::shutdown(fd_, SHUT_WR); }

  /// Sends what fits; false when the server has closed and said so.
  bool send(std::string_view text) const {
    constexpr int kFlags = MSG_DONTWAIT | MSG_NOSIGNAL;
    return ::send(fd_, text.data(), text.size(), kFlags) >= 0 || errno == EAGAIN;
  }

  /// Takes in what has come; true when the server has closed.
  bool receive() {
    std::array<char, 65536> bytes{};
    while (!is_closed_) {
      const auto size = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (size < 0 && errno == EAGAIN) break;
      is_closed_ = size <= 0;
      is_reset_ = size < 0;
      if (size > 0) received_.append(bytes.data(), static_cast<std::size_t>(size));
    }
    return is_closed_;
  }
  /// Whether the end came as a reset, which may destroy replies on their way.
  [[nodiscard]] bool is_reset() const { return is_reset_; }
  /// What has been received and is not part of a reply that was taken.
  [[nodiscard]] const std::string& received() const { return received_; }

  /// The next reply, once all of it is there; one to HEAD has no body, whatever its length says.
  std::optional<Reply> take_reply(bool is_to_head = false) {
    receive();
    constexpr std::string_view kEnd = "\r\n\r\n";
    constexpr std::size_t kStatusAt = 9;  // behind "HTTP/1.1 "
    const auto end = received_.find(kEnd);
    if (end == std::string::npos) return std::nullopt;
    Reply reply;
    reply.header = received_.substr(0, end + kEnd.size());
    std::from_chars(&reply.header[kStatusAt], &reply.header[kStatusAt] + 3, reply.status);
    const auto length = reply.field("Content-Length");
    const auto size = is_to_head || length.empty() ? 0 : std::stoul(length);
    if (received_.size() < reply.header.size() + size) return std::nullopt;
    reply.body = received_.substr(reply.header.size(), size);
    received_.erase(0, reply.header.size() + size);
    return reply;
  }

 private:
  int fd_;
  std::string received_;
  bool is_closed_ = false;
  bool is_reset_ = false;
};

}  // namespace tests
