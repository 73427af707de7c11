#include "http/session.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <limits>
#include <tuple>

#include "http/negotiation.hpp"
#include "http/request_header.hpp"
#include "http/response_header.hpp"

namespace http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Parser = beast::http::request_parser<beast::http::empty_body>;

constexpr std::string_view kEndOfHeader = "\r\n\r\n";

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::string_view Request::field(std::string_view name) const {
  for (const auto& field : fields) {
    if (equal_ignoring_case(field.name, name)) return field.value;
  }
  return {};
}

Response text_response(unsigned status, std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  const std::string_view body = *owner;
  return {.status = status, .owner = std::move(owner), .body = body};
}

Response refuse_in_plain_text(const Refused& refused) {
  const auto status = static_cast<beast::http::status>(refused.status);
  const auto reason = beast::http::obsolete_reason(status);
  return text_response(refused.status, std::string(view(reason)) + "\n");
}

bool Body::append(std::string_view part) {
  if (part.size() > server_.limits.all_body_bytes - server_.body_bytes) return false;
  text_.append(part);
  server_.body_bytes += part.size();
  return true;
}

asio::ip::address source_of(const asio::ip::address& peer) {
  if (peer.is_v4()) return peer;
  const auto address = peer.to_v6();
  if (address.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, address);
  auto bytes = address.to_bytes();
  std::fill(bytes.begin() + bytes.size() / 2, bytes.end(), std::uint8_t{0});
  return asio::ip::address_v6(bytes, address.scope_id());
}

Session::Session(asio::ip::tcp::socket socket, asio::ip::address source,
                 std::shared_ptr<Shared> server)
    : socket_(std::move(socket)),
      alarm_(socket_.get_executor()),
      buffer_(server->limits.header_bytes),
      source_(std::move(source)),
      server_(std::move(server)) {
  server_->sessions[source_].insert(this);
  ++server_->session_count;
}

// NOLINTNEXTLINE(bugprone-exception-escape): finding and erasing pointers does not throw
Session::~Session() {
  const auto siblings = server_->sessions.find(source_);
  siblings->second.erase(this);
  if (siblings->second.empty()) server_->sessions.erase(siblings);
  if (--server_->session_count == 0) server_->drained.cancel();
}

void Session::close_if_idle() {
  beast::error_code ignored;
  const bool has_request = socket_.available(ignored) > 0;  // here already, but not read yet
  if (is_idle_ && !has_request) socket_.close(ignored);
}

/// Closes the connection unless the current step is done in `time`. Not by beast::tcp_stream, whose
/// deadlines pass unnoticed while there is always something to read. The timer is left alone while
/// it goes off no later than it must, and looks again then: a request moves its deadline three
/// times, and never has to tell the kernel.
void Session::set_deadline(std::chrono::milliseconds time) {
  deadline_ = Clock::now() + time;
  if (deadline_ < alarm_.expiry() || !is_alarm_set_) set_alarm();
}

void Session::set_alarm() {
  is_alarm_set_ = true;
  alarm_.expires_at(deadline_);
  alarm_.async_wait([weak = weak_from_this()](beast::error_code cancelled) {
    const auto session = weak.lock();
    if (!cancelled && session != nullptr) session->check_deadline();
  });
}

void Session::check_deadline() {
  is_alarm_set_ = false;
  if (deadline_ == kNever) return;
  if (deadline_ > Clock::now()) {
    set_alarm();
    return;
  }
  is_late_ = true;
  beast::error_code ignored;
  socket_.close(ignored);
}

void Session::clear_deadline() { deadline_ = kNever; }

asio::awaitable<void> Session::run() {
  const auto last = server_->limits.requests_per_connection;
  auto outcome = Outcome::keep;
  // A reply that says keep-alive may have been on its way when the server began to stop.
  for (std::size_t i = 1; outcome == Outcome::keep && !server_->stopping; ++i) {
    is_idle_ = true;
    const auto header = co_await read_header(i == 1);
    if (header.empty()) break;
    is_idle_ = false;
    clear_deadline();
    outcome = co_await answer(header, i >= last);
  }
  co_await linger();
}

std::string_view Session::buffered() const {
  const auto data = buffer_.data();
  return {static_cast<const char*>(data.data()), data.size()};
}

/// The header at the start of the buffer, or "" when the connection is done for.
asio::awaitable<std::string_view> Session::read_header(bool is_first) {
  const auto& limits = server_->limits;
  bool is_waiting = !is_first && buffer_.size() == 0;
  set_deadline(is_waiting ? limits.idle_deadline : limits.header_deadline);
  for (std::size_t checked = 0;;) {
    const auto text = buffered();
    const auto end = text.find(kEndOfHeader, checked - std::min(checked, kEndOfHeader.size() - 1));
    const bool is_whole = end != std::string_view::npos;
    const auto header = is_whole ? text.substr(0, end + kEndOfHeader.size()) : text;
    // At once, for a client that speaks TLS or ends lines with LF waits for an answer.
    if (is_ambiguous(header, checked)) {
      co_await reject({400, target_of(header), "header"});
      co_return std::string_view();
    }
    if (is_whole) co_return header;
    if (server_->stopping) co_return std::string_view();
    if (text.size() == buffer_.max_size()) {
      co_await reject({431, target_of(text), "header"});
      co_return std::string_view();
    }
    checked = text.size();
    const auto [error, size] = co_await socket_.async_read_some(
        buffer_.prepare(buffer_.max_size() - buffer_.size()), kReport);
    if (error && is_late_ && !is_waiting) server_->observe(Event::deadline_passed);
    if (error) co_return std::string_view();
    buffer_.commit(size);
    if (is_waiting) set_deadline(limits.header_deadline);
    is_waiting = false;
  }
}

asio::awaitable<Session::Outcome> Session::answer(std::string_view header, bool is_last) {
  Parser parser;
  // Both are bounded by us, with statuses of our own.
  parser.header_limit(std::numeric_limits<std::uint32_t>::max());
  parser.body_limit(boost::none);
  beast::error_code error;
  parser.put(asio::buffer(header), error);
  if (error || !parser.is_header_done()) {
    co_return co_await reject({400, target_of(header), field_of(error)});
  }
  const auto& message = parser.get();
  if (const auto refused = refusal_of(message, server_->limits)) {
    co_return co_await reject(*refused);
  }
  buffer_.consume(header.size());
  Body body(*server_);
  auto reading = Reading::whole;
  if (const auto size = body_bytes_of(message); size > 0) {
    reading = co_await read_body(body, size, awaits_continue(message));
  }
  if (reading == Reading::gone) co_return Outcome::close;
  if (reading == Reading::cut) {
    co_return co_await reject({400, view(message.target()), "Content-Length"});
  }
  if (reading == Reading::too_much) {
    co_return co_await reject({503, view(message.target()), "body"});
  }
  std::vector<Field> fields;
  for (const auto& field : message) {
    fields.push_back({view(field.name_string()), view(field.value())});
  }
  const auto response = co_await respond({.method = view(message.method_string()),
                                          .target = view(message.target()),
                                          .fields = fields,
                                          .body = body.text()});
  auto outcome = Outcome::keep;
  if (is_last || server_->stopping || !message.keep_alive()) outcome = Outcome::close;
  const bool is_head = message.method() == beast::http::verb::head;
  const bool is_sent = co_await write(response, message.version(), is_head, outcome);
  co_return is_sent ? outcome : Outcome::close;
}

/// The memory grows with what comes, not with what was announced. The buffer holds what is behind
/// the header, and at last what is behind the body.
asio::awaitable<Session::Reading> Session::read_body(Body& body, std::size_t size,
                                                     bool is_awaited) {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  set_deadline(server_->limits.body_deadline);
  beast::error_code error;
  std::size_t count = 0;
  if (is_awaited && buffer_.size() < size) {
    std::tie(error, count) = co_await asio::async_write(socket_, asio::buffer(kContinue), kReport);
  }
  while (!error) {
    const auto part = buffered().substr(0, size - body.text().size());
    if (!body.append(part)) co_return Reading::too_much;
    buffer_.consume(part.size());
    if (body.text().size() == size) {
      clear_deadline();
      co_return Reading::whole;
    }
    std::tie(error, count) =
        co_await socket_.async_read_some(buffer_.prepare(buffer_.max_size()), kReport);
    buffer_.commit(count);
  }
  if (error == asio::error::eof) co_return Reading::cut;
  if (is_late_) server_->observe(Event::deadline_passed);
  co_return Reading::gone;
}

asio::awaitable<Response> Session::respond(const Request& request) {
  try {
    co_return co_await server_->handler(request);
  } catch (const std::exception&) {
    server_->observe(Event::session_failed);
  }
  co_return text_response(500, "Internal error.\n");
}

asio::awaitable<Session::Outcome> Session::reject(Refused refused) {
  server_->observe(Event::request_rejected);
  is_idle_ = false;
  const auto response = server_->refuse(refused);
  const bool is_head = buffered().starts_with("HEAD ");
  co_await write(response, kHttp11, is_head, Outcome::close);
  co_return Outcome::close;
}

/// False when the reply could not be sent.
asio::awaitable<bool> Session::write(const Response& response, unsigned version, bool is_head,
                                     Outcome outcome) {
  const auto header = response_header(response, {version, is_head, outcome == Outcome::keep});
  const std::array<asio::const_buffer, 2> reply = {
      asio::buffer(header), asio::buffer(is_head ? std::string_view() : response.body)};
  set_deadline(server_->limits.write_deadline);
  const auto [error, size] = co_await asio::async_write(socket_, reply, kReport);
  if (error && is_late_) server_->observe(Event::deadline_passed);
  co_return !error;
}

/// Closing with unread bytes resets the connection and may destroy the reply on its way: reads what
/// the client still sends, for a while.
asio::awaitable<void> Session::linger() {
  constexpr std::chrono::seconds kPatience{1};
  beast::error_code error;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  set_deadline(kPatience);
  while (!error) {
    buffer_.clear();
    std::tie(error, std::ignore) =
        co_await socket_.async_read_some(buffer_.prepare(buffer_.max_size()), kReport);
  }
}

}  // namespace http
