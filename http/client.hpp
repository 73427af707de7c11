// One request to an HTTP/1.1 server, and its answer.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace http {

struct ClientField {
  std::string name, value;
};

struct ClientRequest {
  std::string method = "GET";
  std::string host;                      ///< A name or an address; one of IPv6 without brackets.
  std::uint16_t port = 80;               // NOLINT(readability-magic-numbers)
  std::string target = "/";              ///< In origin-form: /path?query.
  std::vector<ClientField> fields = {};  ///< Beside Host, Connection and Content-Length.
  std::string body = {};
};

struct ClientLimits {
  std::chrono::milliseconds deadline{10000};  ///< For all of it, from the name to the last byte.
  std::size_t header_bytes = 16384;
  std::size_t body_bytes = 1048576;
};

struct ClientResponse {
  unsigned status = 0;       ///< Whatever it is: a redirect is not followed.
  std::string content_type;  ///< "" when the server says none.
  std::string body;          ///< As its framing says it is, chunks put together.
};

struct ClientError {
  enum class Code : std::uint8_t {
    bad_request,   ///< A control character, or a blank in the method or target: nothing was sent.
    unresolved,    ///< No address by that name.
    unreachable,   ///< Nobody accepted.
    deadline,      ///< Not all of the answer came in time.
    disconnected,  ///< The server closed before all of its answer had come.
    malformed,     ///< The answer is not HTTP/1.
    too_large,     ///< The header or the body is over its limit.
  } code = Code::malformed;
  std::string detail;     ///< For a person.
  bool was_sent = false;  ///< There was a connection, and some of the request may have arrived.
};

using ClientResult = std::variant<ClientResponse, ClientError>;

/// Sends `request` on a connection of its own and waits for the answer; no redirects, no cookies,
/// no content codings. Throws only std::bad_alloc. Its executor must run one handler at a time. A
/// name is looked up in a thread of Asio's, which the end of the io_context waits for; addresses
/// and "localhost" need none.
boost::asio::awaitable<ClientResult> send_request(ClientRequest request, ClientLimits limits);

}  // namespace http
