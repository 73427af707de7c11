// One connection of the server; only server.cpp includes this.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <list>
#include <map>
#include <set>
#include <string>

#include "http/server.hpp"

namespace http {

// Errors come back as values: a client that hangs up is not exceptional.
inline constexpr auto kReport = boost::asio::as_tuple(boost::asio::use_awaitable);

class Session;

/// What a server and its sessions share; each of them keeps it alive.
struct Shared {
  Limits limits;
  Handler handler;
  Observer observe;
  Refusal refuse;
  boost::asio::steady_timer drained;  ///< Cancelled when the last session ends.
  std::list<boost::asio::ip::tcp::acceptor> acceptors = {};
  std::map<boost::asio::ip::address, std::set<Session*>> sessions = {};  ///< By source.
  std::size_t session_count = 0;
  std::size_t body_bytes = 0;  ///< That all sessions hold.
  bool stopping = false;
};

/// The body of one request, which counts among those of all as it grows.
class Body {
 public:
  explicit Body(Shared& server) : server_(server) {}
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;
  Body(Body&&) = delete;
  Body& operator=(Body&&) = delete;
  ~Body() { server_.body_bytes -= text_.size(); }

  /// False when all bodies together would be over their limit.
  [[nodiscard]] bool append(std::string_view part);
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  Shared& server_;
  std::string text_;
};

/// What counts as one client: an IPv4 address, or the /64 network in which an IPv6 client may pick
/// its addresses at will.
boost::asio::ip::address source_of(const boost::asio::ip::address& peer);

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(boost::asio::ip::tcp::socket socket, boost::asio::ip::address source,
          std::shared_ptr<Shared> server);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  Session(Session&&) = delete;
  Session& operator=(Session&&) = delete;
  ~Session();  // NOLINT(bugprone-exception-escape): see its definition

  /// Serves requests until the connection is to be closed.
  boost::asio::awaitable<void> run();

  /// Ends a session that waits for a request; one to which a request has come answers it first.
  void close_if_idle();

 private:
  enum class Outcome : bool { close, keep };
  enum class Reading : std::uint8_t { whole, cut, gone, too_much };
  using Clock = std::chrono::steady_clock;
  static constexpr auto kNever = Clock::time_point::max();

  void set_deadline(std::chrono::milliseconds time);
  void set_alarm();
  void check_deadline();
  void clear_deadline();
  [[nodiscard]] std::string_view buffered() const;
  boost::asio::awaitable<std::string_view> read_header(bool is_first);
  boost::asio::awaitable<Outcome> answer(std::string_view header, bool is_last);
  boost::asio::awaitable<Reading> read_body(Body& body, std::size_t size, bool is_awaited);
  boost::asio::awaitable<Response> respond(const Request& request);
  boost::asio::awaitable<Outcome> reject(Refused refused);
  boost::asio::awaitable<bool> write(const Response& response, unsigned version, bool is_head,
                                     Outcome outcome);
  boost::asio::awaitable<void> linger();

  boost::asio::ip::tcp::socket socket_;
  Clock::time_point deadline_ = kNever;
  boost::asio::steady_timer alarm_;  // goes off at deadline_ or before
  boost::beast::flat_buffer buffer_;
  boost::asio::ip::address source_;
  std::shared_ptr<Shared> server_;
  bool is_alarm_set_ = false;
  bool is_idle_ = true;
  bool is_late_ = false;  // the deadline has passed: the socket is closed
};

}  // namespace http
