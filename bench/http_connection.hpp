#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

struct HttpResponse {
  int status = 0;
  bool is_gzip = false;
  std::string body;  ///< As sent: chunks joined, compression kept.
};

/// A keep-alive HTTP/1.1 connection to a server on 127.0.0.1. It does as little as it can, because
/// client and server share the machine; it is not the project's own client, because a client that
/// shares code with the server shares its mistakes. Connects when needed, again after a server that
/// closes. Every failure throws std::runtime_error: there is no benchmark without an answer.
class HttpConnection {
 public:
  explicit HttpConnection(std::uint16_t port) : port_(port) {}
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;
  ~HttpConnection();

  /// Sends the whole text of a request, and waits for the whole of its answer.
  HttpResponse exchange(std::string_view request);

 private:
  void connect();
  void close();
  bool receive();
  void receive_until(std::size_t bytes);
  std::size_t find_or_receive(std::string_view text, std::size_t from);
  std::size_t read_chunks(std::size_t at, std::string& body);

  std::uint16_t port_;
  int socket_ = -1;
  std::string received_;  // of the response being read
};

}  // namespace bench
