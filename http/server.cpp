#include "http/server.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <utility>

#include "http/session.hpp"

namespace http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

struct HostAndPort {
  std::string host;  ///< Empty for every address.
  std::uint16_t port = 0;
};

HostAndPort parse_address(const std::string& address) {
  const auto colon = address.rfind(':');
  HostAndPort parsed;
  if (colon != std::string::npos) {
    const auto* end = address.data() + address.size();
    const auto [stop, error] = std::from_chars(address.data() + colon + 1, end, parsed.port);
    parsed.host = address.substr(0, colon);
    const bool is_bracketed = parsed.host.starts_with('[') && parsed.host.ends_with(']');
    if (is_bracketed) parsed.host = parsed.host.substr(1, parsed.host.size() - 2);
    const bool is_v6 = parsed.host.find(':') != std::string::npos;
    if (error == std::errc{} && stop == end && is_bracketed == is_v6) return parsed;
  }
  throw std::invalid_argument("'" + address + "' is not host:port, [v6 address]:port or :port");
}

tcp::acceptor bind(const asio::any_io_executor& io, const tcp::endpoint& endpoint,
                   bool both_families) {
  tcp::acceptor acceptor(io, endpoint.protocol());
  acceptor.set_option(tcp::acceptor::reuse_address(true));
  if (endpoint.protocol() == tcp::v6()) {
    acceptor.set_option(asio::ip::v6_only(!both_families));
  }
  acceptor.bind(endpoint);
  acceptor.listen();
  return acceptor;
}

/// Every address of the host, of both families where it has both.
tcp::acceptor bind_any(const asio::any_io_executor& io, std::uint16_t port) {
  error_code no_ipv6;
  tcp::acceptor(io).open(tcp::v6(), no_ipv6);
  return bind(io, {no_ipv6 ? tcp::v4() : tcp::v6(), port}, true);
}

/// A name may stand for an address twice, and for one that the host does not have, as localhost
/// does for ::1 where IPv6 is turned off: those are left out unless none remains.
std::vector<tcp::acceptor> bind_name(const asio::any_io_executor& io, const HostAndPort& name) {
  std::vector<tcp::acceptor> acceptors;
  std::vector<tcp::endpoint> seen;
  error_code missing;
  for (const auto& entry : tcp::resolver(io).resolve(name.host, std::to_string(name.port))) {
    if (std::find(seen.begin(), seen.end(), entry.endpoint()) != seen.end()) continue;
    seen.push_back(entry.endpoint());
    try {
      acceptors.push_back(bind(io, entry.endpoint(), false));
    } catch (const boost::system::system_error& error) {
      missing = error.code();
      if (missing != boost::system::errc::address_not_available &&
          missing != asio::error::address_family_not_supported) {
        throw;
      }
    }
    if (name.port == 0 && !acceptors.empty()) break;  // each would get a port of its own
  }
  if (acceptors.empty()) throw boost::system::system_error(missing);
  return acceptors;
}

int socket_option(int descriptor, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0) return value;
  throw boost::system::system_error(errno, boost::system::system_category());
}

tcp::acceptor take_over(const asio::any_io_executor& io, int descriptor) {
  const int family = socket_option(descriptor, SO_DOMAIN);
  if (socket_option(descriptor, SO_TYPE) != SOCK_STREAM ||
      socket_option(descriptor, SO_ACCEPTCONN) == 0 || (family != AF_INET && family != AF_INET6)) {
    throw boost::system::system_error(asio::error::invalid_argument);
  }
  tcp::acceptor acceptor(io);
  acceptor.assign(family == AF_INET ? tcp::v4() : tcp::v6(), descriptor);
  return acceptor;
}

/// Says why in one packet, without waiting for anybody. What has come is read before, for closing
/// over unread bytes resets the connection.
void turn_away(tcp::socket socket) {
  constexpr std::string_view kBusy =
      "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n"
      "Connection: close\r\n\r\n";
  std::array<char, 1024> request{};
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.read_some(asio::buffer(request), ignored);
  socket.write_some(asio::buffer(kBusy), ignored);
}

bool is_full(const Shared& shared, const asio::ip::address& source) {
  if (shared.session_count >= shared.limits.connections) return true;
  const auto siblings = shared.sessions.find(source);
  return siblings != shared.sessions.end() &&
         siblings->second.size() >= shared.limits.connections_per_source;
}

asio::awaitable<void> serve(std::shared_ptr<Session> session, std::shared_ptr<Shared> shared) {
  try {
    co_await session->run();
  } catch (const std::exception&) {
    shared->observe(Event::session_failed);
  }
}

void admit(tcp::socket socket, const std::shared_ptr<Shared>& shared) {
  error_code gone;
  const auto peer = socket.remote_endpoint(gone);
  if (gone) return;
  auto source = source_of(peer.address());
  if (is_full(*shared, source)) {
    shared->observe(Event::connection_refused);
    turn_away(std::move(socket));
    return;
  }
  // What the kernel may hold for a client that does not read, and for how long: it goes on sending
  // after we have closed.
  constexpr int kSendBufferBytes = 256 << 10;  // left alone it grows to megabytes
  error_code ignored;
  socket.set_option(tcp::socket::send_buffer_size(kSendBufferBytes), ignored);
  const auto patience = 2 * static_cast<int>(shared->limits.write_deadline.count());
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
  socket.set_option(tcp::no_delay(true), ignored);
  const auto io = socket.get_executor();
  auto session = std::make_shared<Session>(std::move(socket), std::move(source), shared);
  asio::co_spawn(io, serve(std::move(session), shared), asio::detached);
}

/// How long to leave the host alone before the next accept: with no descriptor free, trying again
/// at once would take a whole core.
std::chrono::milliseconds pause_after(const error_code& error) {
  const bool is_exhausted = error == asio::error::no_descriptors ||
                            error == boost::system::errc::too_many_files_open_in_system ||
                            error == asio::error::no_buffer_space ||
                            error == asio::error::no_memory;
  return std::chrono::milliseconds(is_exhausted ? 100 : 10);
}

/// Goes on whatever happens, for a server that no longer accepts looks alive and is not. `acceptor`
/// belongs to `shared`.
asio::awaitable<void> accept_all(tcp::acceptor& acceptor, std::shared_ptr<Shared> shared) {
  asio::steady_timer pause(acceptor.get_executor());
  while (!shared->stopping) {
    auto [error, socket] = co_await acceptor.async_accept(kReport);
    if (shared->stopping) co_return;
    if (!error) {
      try {
        admit(std::move(socket), shared);
        continue;
      } catch (const std::exception&) {
        error = asio::error::no_memory;
      }
    }
    shared->observe(Event::accept_failed);
    pause.expires_after(pause_after(error));
    co_await pause.async_wait(kReport);
  }
}

void start(tcp::acceptor acceptor, const std::shared_ptr<Shared>& shared) {
  shared->acceptors.push_back(std::move(acceptor));
  auto& kept = shared->acceptors.back();
  asio::co_spawn(kept.get_executor(), accept_all(kept, shared), asio::detached);
}

void stop(Shared& shared) {
  shared.stopping = true;
  error_code ignored;
  for (auto& acceptor : shared.acceptors) acceptor.close(ignored);
}

}  // namespace

Server::Server(asio::io_context& io, Limits limits, Handler handler, Observer observer,
               Refusal refusal)
    : shared_(std::make_shared<Shared>(Shared{.limits = limits,
                                              .handler = std::move(handler),
                                              .observe = std::move(observer),
                                              .refuse = std::move(refusal),
                                              .drained = asio::steady_timer(io)})) {}

Server::~Server() { stop(*shared_); }

std::vector<tcp::endpoint> Server::listen(const std::string& address) {
  const auto io = shared_->drained.get_executor();
  const auto parsed = parse_address(address);
  std::vector<tcp::acceptor> acceptors;
  if (parsed.host.empty()) {
    acceptors.push_back(bind_any(io, parsed.port));
  } else {
    acceptors = bind_name(io, parsed);
  }
  std::vector<tcp::endpoint> bound;
  for (auto& acceptor : acceptors) {
    bound.push_back(acceptor.local_endpoint());
    start(std::move(acceptor), shared_);
  }
  return bound;
}

tcp::endpoint Server::adopt(int descriptor) {
  auto acceptor = take_over(shared_->drained.get_executor(), descriptor);
  auto address = acceptor.local_endpoint();
  start(std::move(acceptor), shared_);
  return address;
}

asio::awaitable<void> Server::shut_down(std::chrono::milliseconds grace) {
  const auto shared = shared_;
  stop(*shared);
  for (const auto& [source, siblings] : shared->sessions) {
    for (auto* session : siblings) session->close_if_idle();
  }
  if (shared->session_count == 0) co_return;
  shared->drained.expires_after(grace);
  co_await shared->drained.async_wait(kReport);
}

}  // namespace http
