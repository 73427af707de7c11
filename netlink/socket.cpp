#include "netlink/socket.hpp"

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <span>
#include <string>
#include <system_error>

namespace netlink {
namespace {

using metrics::Errc;
using metrics::Error;
using metrics::Result;

/// The error in an answer, or 0.
int error_in(Bytes datagram) {
  const auto message = take_message(datagram);
  return message ? error_number(*message).value_or(0) : EBADMSG;
}

}  // namespace

Error from_errno(std::string_view what, int number) {
  Errc code = Errc::io;
  if (number == EPERM || number == EACCES) code = Errc::denied;
  if (number == ENOENT || number == EOPNOTSUPP || number == EPROTONOSUPPORT ||
      number == EAFNOSUPPORT || number == EINVAL) {
    code = Errc::unsupported;
  }
  return {code, std::string(what) + ": " + std::generic_category().message(number)};
}

Result<int> open_socket() {
  const int descriptor = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
  if (descriptor < 0) return from_errno("generic netlink", errno);
  return descriptor;
}

Result<void> send_request(int descriptor, const std::vector<std::byte>& request) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const iovec piece{const_cast<std::byte*>(request.data()), request.size()};
  msghdr message{};
  message.msg_name = &kernel;
  message.msg_namelen = sizeof kernel;
  message.msg_iov = const_cast<iovec*>(&piece);
  message.msg_iovlen = 1;
  for (;;) {
    if (::sendmsg(descriptor, &message, 0) >= 0) return {};
    if (errno != EINTR) return from_errno("netlink request", errno);
  }
}

Result<std::vector<std::byte>> ask(int descriptor, const std::vector<std::byte>& request) {
  if (auto sent = send_request(descriptor, request); !sent) return sent.error();
  constexpr std::size_t kAnswerBytes = 16'384;
  std::vector<std::byte> answer(kAnswerBytes);
  ssize_t got = -1;
  do {
    got = ::recv(descriptor, answer.data(), answer.size(), MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return from_errno("netlink answer", errno);
  answer.resize(static_cast<std::size_t>(got));
  if (const int error = error_in(answer); error != 0) return from_errno("netlink answer", error);
  return answer;
}

Result<std::uint16_t> find_family(int descriptor, std::string_view name) {
  const std::string text(name);
  const auto with_end = std::as_bytes(std::span(text.c_str(), text.size() + 1));
  const auto answer = ask(descriptor, make_request(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1,
                                                   CTRL_ATTR_FAMILY_NAME, with_end));
  if (!answer) return answer.error();
  Bytes rest(*answer);
  const auto message = take_message(rest);
  const auto bytes = message ? find_attribute(message->payload, CTRL_ATTR_FAMILY_ID) : std::nullopt;
  const auto family = bytes ? read_start<std::uint16_t>(*bytes) : std::nullopt;
  if (!family) return Error{Errc::malformed, "generic netlink: a family without a number"};
  return *family;
}

}  // namespace netlink
