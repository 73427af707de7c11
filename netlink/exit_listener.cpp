#include "netlink/exit_listener.hpp"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/taskstats.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <span>
#include <utility>

#include "netlink/message.hpp"
#include "netlink/socket.hpp"

namespace netlink {
namespace {

/// The list without its newline; nothing when it is no list, or a longer one than the kernel takes.
std::string to_cpu_list(std::string_view text) {
  constexpr std::size_t kMaxBytes = 4096;
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  const bool is_list = text.find_first_not_of("0123456789,-") == std::string_view::npos;
  return is_list && text.size() <= kMaxBytes ? std::string(text) : std::string();
}

std::vector<std::byte> make_cpu_request(std::uint16_t family, std::uint16_t attribute,
                                        const std::string& cpus) {
  const auto with_end = std::as_bytes(std::span(cpus.c_str(), cpus.size() + 1));
  return make_request(family, TASKSTATS_CMD_GET, TASKSTATS_GENL_VERSION, attribute, with_end);
}

/// Lets the kernel describe us, so that a struct that we read wrongly is found out at once.
Result<void> check_own_record(int descriptor, std::uint16_t family) {
  const std::int32_t pid = ::getpid();
  const auto answer =
      ask(descriptor, make_request(family, TASKSTATS_CMD_GET, TASKSTATS_GENL_VERSION,
                                   TASKSTATS_CMD_ATTR_PID, std::as_bytes(std::span(&pid, 1))));
  if (!answer) return answer.error();
  const auto records = parse_taskstats(*answer);
  if (!records) return records.error();
  if (records->size() != 1) return Error{Errc::malformed, "taskstats: no record of our own"};
  const auto& own = records->front();
  if (!own.tgid) {
    return Error{Errc::unsupported,
                 "taskstats: version " + std::to_string(own.version) + " names no process"};
  }
  if (own.tgid != pid || own.uid != ::getuid() || own.parent_pid != ::getppid()) {
    return Error{Errc::malformed, "taskstats: our own record is not about us"};
  }
  return {};
}

/// The family's number, when it is there and we read its records rightly. On a socket of its own:
/// the answers must not have to share a queue with records.
Result<std::uint16_t> find_taskstats() {
  const auto descriptor = open_socket();
  if (!descriptor) return descriptor.error();
  auto family = find_family(*descriptor, TASKSTATS_GENL_NAME);
  if (family) {
    if (auto own = check_own_record(*descriptor, *family); !own) family = own.error();
  }
  ::close(*descriptor);
  return family;
}

Result<void> set_option(int descriptor, int level, int option, int value) {
  if (::setsockopt(descriptor, level, option, &value, sizeof value) == 0) return {};
  return from_errno("setsockopt", errno);
}

/// The refusal of a request that no answer was asked for. It would be the first in the queue, as
/// nothing else comes before we are registered.
Result<void> find_refusal(int descriptor) {
  std::array<std::byte, 256> bytes{};
  const auto got = ::recv(descriptor, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_PEEK);
  if (got <= 0) return {};
  Bytes datagram = std::span(bytes).first(static_cast<std::size_t>(got));
  const auto message = take_message(datagram);
  const int error = message ? error_number(*message).value_or(0) : 0;
  if (error == 0) return {};
  return from_errno("taskstats: listening", error);
}

}  // namespace

/// Room for what one recvmmsg() may bring. A record is 1.2 KB today; one that does not fit shows as
/// cut, and counts as malformed.
struct ExitListener::Batch {
  static constexpr std::size_t kDatagrams = 32;
  static constexpr std::size_t kDatagramBytes = 4096;

  std::array<mmsghdr, kDatagrams> headers{};
  std::array<iovec, kDatagrams> pieces{};
  std::array<sockaddr_nl, kDatagrams> senders{};
  std::array<std::array<std::byte, kDatagramBytes>, kDatagrams> bytes{};

  Batch() {
    for (std::size_t i = 0; i < kDatagrams; ++i) {
      pieces[i] = {bytes[i].data(), bytes[i].size()};
      headers[i].msg_hdr.msg_iov = &pieces[i];
      headers[i].msg_hdr.msg_iovlen = 1;
      headers[i].msg_hdr.msg_name = &senders[i];
    }
  }
};

ExitListener::ExitListener(int descriptor, std::uint16_t family, std::string cpus)
    : descriptor_(descriptor),
      family_(family),
      cpus_(std::move(cpus)),
      batch_(std::make_unique<Batch>()) {}

ExitListener::ExitListener(ExitListener&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      family_(other.family_),
      cpus_(std::move(other.cpus_)),
      batch_(std::move(other.batch_)),
      kernel_drops_(other.kernel_drops_),
      dropped_(other.dropped_) {}

ExitListener& ExitListener::operator=(ExitListener&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(family_, other.family_);
  std::swap(cpus_, other.cpus_);
  std::swap(batch_, other.batch_);
  std::swap(kernel_drops_, other.kernel_drops_);
  std::swap(dropped_, other.dropped_);
  return *this;
}

ExitListener::~ExitListener() {
  if (descriptor_ < 0) return;
  // A refusal changes nothing: the socket goes anyway.
  const auto attribute = static_cast<std::uint16_t>(TASKSTATS_CMD_ATTR_DEREGISTER_CPUMASK);
  (void)send_request(descriptor_, make_cpu_request(family_, attribute, cpus_));
  ::close(descriptor_);
}

Result<ExitListener> ExitListener::open(std::string_view possible_cpus,
                                        std::size_t receive_buffer_bytes) {
  auto cpus = to_cpu_list(possible_cpus);
  if (cpus.empty()) return Error{Errc::malformed, "taskstats: no list of CPUs"};
  const auto family = find_taskstats();
  if (!family) return family.error();
  const auto descriptor = open_socket();
  if (!descriptor) return descriptor.error();
  ExitListener listener(*descriptor, *family, std::move(cpus));
  if (auto started = listener.start(receive_buffer_bytes); !started) return started.error();
  return listener;
}

Result<void> ExitListener::start(std::size_t receive_buffer_bytes) {
  constexpr std::size_t kMaxBytes = std::numeric_limits<int>::max() / 2;  // the kernel doubles it
  const auto bytes = static_cast<int>(std::min(receive_buffer_bytes, kMaxBytes));
  if (!set_option(descriptor_, SOL_SOCKET, SO_RCVBUFFORCE, bytes)) {
    if (auto set = set_option(descriptor_, SOL_SOCKET, SO_RCVBUF, bytes); !set) return set;
  }
  // Otherwise the first loss would make the kernel drop everything until the queue is empty.
  if (auto set = set_option(descriptor_, SOL_NETLINK, NETLINK_NO_ENOBUFS, 1); !set) return set;
  const auto attribute = static_cast<std::uint16_t>(TASKSTATS_CMD_ATTR_REGISTER_CPUMASK);
  auto sent = send_request(descriptor_, make_cpu_request(family_, attribute, cpus_));
  if (!sent) return sent;
  return find_refusal(descriptor_);
}

Result<std::size_t> ExitListener::receive() {
  for (auto& header : batch_->headers) header.msg_hdr.msg_namelen = sizeof(sockaddr_nl);
  for (;;) {
    const int got =
        ::recvmmsg(descriptor_, batch_->headers.data(), Batch::kDatagrams, MSG_DONTWAIT, nullptr);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno == EAGAIN) return std::size_t{0};
    if (errno != EINTR) return from_errno("taskstats", errno);
  }
}

void ExitListener::use_batch(std::size_t count, const std::function<void(const TaskExit&)>& use,
                             Drained& drained) const {
  for (std::size_t i = 0; i < count; ++i) {
    const auto& header = batch_->headers[i];
    const bool is_whole = (header.msg_hdr.msg_flags & MSG_TRUNC) == 0;
    const bool is_from_kernel = batch_->senders[i].nl_pid == 0;
    const auto exits =
        parse_taskstats(std::span(batch_->bytes[i]).first(is_whole ? header.msg_len : 0));
    if (!is_from_kernel || !exits) {
      ++drained.malformed;
      continue;
    }
    drained.records += exits->size();
    for (const auto& exit : *exits) use(exit);
  }
}

Result<ExitListener::Drained> ExitListener::drain(const std::function<void(const TaskExit&)>& use,
                                                  std::size_t max_datagrams) {
  Drained drained;
  std::size_t datagrams = 0;
  std::size_t got = 0;
  do {
    if (datagrams >= max_datagrams) {
      drained.is_empty = false;
      return drained;
    }
    const auto received = receive();
    if (!received) return received.error();
    got = *received;
    datagrams += got;
    use_batch(got, use, drained);
  } while (got == Batch::kDatagrams);  // fewer come only when the queue was found empty
  return drained;
}

Result<std::uint64_t> ExitListener::dropped() {
  std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
  socklen_t bytes = sizeof memory;
  if (::getsockopt(descriptor_, SOL_SOCKET, SO_MEMINFO, memory.data(), &bytes) != 0) {
    return from_errno("taskstats: SO_MEMINFO", errno);
  }
  if (bytes <= SK_MEMINFO_DROPS * sizeof(std::uint32_t)) {
    return Error{Errc::unsupported, "taskstats: this kernel counts no drops"};
  }
  const std::uint32_t more = memory[SK_MEMINFO_DROPS] - kernel_drops_;  // right when it wraps, too
  dropped_ += more;
  kernel_drops_ = memory[SK_MEMINFO_DROPS];
  return dropped_;
}

}  // namespace netlink
