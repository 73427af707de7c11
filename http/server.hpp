#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace http {

/// What a request may cost. The deadlines are for a whole step and are not moved by single bytes.
struct Limits {
  std::size_t header_bytes = 8192;
  std::size_t header_fields = 64;
  std::size_t target_bytes = 2048;
  std::size_t body_bytes = 0;  ///< Of a request; with 0 every body is refused.
  std::size_t all_body_bytes = std::size_t{64} << 20U;  ///< Of all requests under way together.
  std::size_t connections = 256;
  std::size_t connections_per_source = 64;  ///< From one address.
  std::size_t requests_per_connection = 1000;
  std::chrono::milliseconds header_deadline{5000};
  std::chrono::milliseconds body_deadline{10000};
  std::chrono::milliseconds idle_deadline{60000};  ///< Between two requests.
  std::chrono::milliseconds write_deadline{10000};
};

struct Field {
  std::string_view name, value;
};

/// Valid until the handler's coroutine ends.
struct Request {
  std::string_view method;
  std::string_view target;  ///< In origin-form; see parse_target.
  std::span<const Field> fields;
  std::string_view body = {};

  /// The value of the first field called `name` in any case, or "".
  [[nodiscard]] std::string_view field(std::string_view name) const;
};

/// The views of the header are of static text.
struct Response {
  unsigned status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string_view content_encoding = {};
  std::string_view allow = {};
  std::string_view vary = {};
  std::string_view retry_after = {};       ///< Seconds.
  std::shared_ptr<const void> owner = {};  ///< Keeps `body` alive until it is sent.
  std::string_view body = {};
};

/// A response that owns its text.
Response text_response(unsigned status, std::string text);

using Handler = std::function<boost::asio::awaitable<Response>(const Request&)>;

/// A request that never reaches the handler.
struct Refused {
  unsigned status = 0;
  std::string_view target = {};  ///< "" when it has none that could be read.
  std::string_view field = {};   ///< What is wrong: a field's name, "target", "header" or "body".
};

/// Makes what is answered to it.
using Refusal = std::function<Response(const Refused&)>;

/// The reason phrase of the status, as plain text.
Response refuse_in_plain_text(const Refused& refused);

/// What happens below the handler, for those who count.
enum class Event : std::uint8_t {
  accept_failed,       ///< Out of descriptors or memory; tried again after a pause.
  connection_refused,  ///< Over a limit of connections: answered 503 and closed.
  request_rejected,    ///< Not valid HTTP or over a limit: answered 4xx and closed.
  deadline_passed,     ///< The client did not send or read in time: closed.
  session_failed,      ///< An exception of ours: answered 500 or closed.
};
using Observer = std::function<void(Event)>;

struct Shared;

/// An HTTP/1.1 server for small requests. It answers GET, HEAD and whatever else the handler wants
/// to answer or to refuse; a body over the limit, a transfer coding, or anything that two parsers
/// might read differently is refused and the connection closed. One handler at a time.
class Server {
 public:
  /// All functions are called, even when the server is gone, as long as `io` runs.
  Server(boost::asio::io_context& io, Limits limits, Handler handler, Observer observer,
         Refusal refusal = refuse_in_plain_text);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  Server(Server&&) = delete;
  Server& operator=(Server&&) = delete;
  ~Server();  ///< Stops accepting; connections go on to their end.

  /// Binds "host:port", "[v6]:port" or ":port", which is every address of both families, and starts
  /// to accept; returns the bound addresses, with the port the kernel chose in place of 0.
  /// Throws boost::system::system_error when it cannot, std::invalid_argument for other text.
  std::vector<boost::asio::ip::tcp::endpoint> listen(const std::string& address);

  /// Accepts on a socket that listens already, such as one of inherited_sockets(); it is the
  /// server's from now on. Returns its address. Throws boost::system::system_error when it is none
  /// of TCP that listens; then it stays the caller's.
  boost::asio::ip::tcp::endpoint adopt(int descriptor);

  /// Stops accepting, closes what is idle, and returns when every reply under way has been sent and
  /// its connection closed, or after `grace`. Once.
  boost::asio::awaitable<void> shut_down(std::chrono::milliseconds grace);

 private:
  std::shared_ptr<Shared> shared_;
};

}  // namespace http
