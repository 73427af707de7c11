#include "netlink/message.hpp"

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include <algorithm>

namespace netlink {
namespace {

constexpr std::size_t kMessageHeaderBytes = NLMSG_HDRLEN;
constexpr std::size_t kFamilyHeaderBytes = GENL_HDRLEN;
constexpr std::size_t kAttributeHeaderBytes = sizeof(nlattr);

/// Messages and attributes start at multiples of four bytes; the last may lack its padding.
std::size_t padded(std::size_t bytes) {
  static_assert(NLMSG_ALIGNTO == NLA_ALIGNTO);
  constexpr std::size_t kMask = NLA_ALIGNTO - 1;
  return (bytes + kMask) & ~kMask;
}

void take(Bytes& bytes, std::size_t count) { bytes = bytes.subspan(std::min(count, bytes.size())); }

template <class T>
void append(std::vector<std::byte>& bytes, const T& value) {
  const auto raw = std::as_bytes(std::span(&value, 1));
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

}  // namespace

std::optional<Message> take_message(Bytes& datagram) {
  const auto header = read_start<nlmsghdr>(datagram);
  if (!header || header->nlmsg_len < kMessageHeaderBytes || header->nlmsg_len > datagram.size()) {
    return std::nullopt;
  }
  Message message;
  message.type = header->nlmsg_type;
  message.payload = datagram.subspan(kMessageHeaderBytes, header->nlmsg_len - kMessageHeaderBytes);
  if (message.type >= NLMSG_MIN_TYPE) {
    const auto family_header = read_start<genlmsghdr>(message.payload);
    if (!family_header) return std::nullopt;
    message.command = family_header->cmd;
    take(message.payload, kFamilyHeaderBytes);
  }
  take(datagram, padded(header->nlmsg_len));
  return message;
}

std::optional<Attribute> take_attribute(Bytes& attributes) {
  const auto header = read_start<nlattr>(attributes);
  if (!header || header->nla_len < kAttributeHeaderBytes || header->nla_len > attributes.size()) {
    return std::nullopt;
  }
  Attribute attribute;
  attribute.type = header->nla_type & static_cast<std::uint16_t>(NLA_TYPE_MASK);
  attribute.payload =
      attributes.subspan(kAttributeHeaderBytes, header->nla_len - kAttributeHeaderBytes);
  take(attributes, padded(header->nla_len));
  return attribute;
}

std::optional<Bytes> find_attribute(Bytes attributes, std::uint16_t type) {
  while (const auto attribute = take_attribute(attributes)) {
    if (attribute->type == type) return attribute->payload;
  }
  return std::nullopt;
}

std::optional<int> error_number(const Message& message) {
  if (message.type != NLMSG_ERROR) return std::nullopt;
  const auto negative = read_start<std::int32_t>(message.payload);
  constexpr std::int32_t kLastErrno = 4095;  // as the kernel's MAX_ERRNO
  if (!negative || *negative > 0 || *negative < -kLastErrno) return std::nullopt;
  return -*negative;
}

std::vector<std::byte> make_request(std::uint16_t family, std::uint8_t command,
                                    std::uint8_t version, std::uint16_t attribute_type,
                                    Bytes attribute) {
  const auto attribute_bytes = kAttributeHeaderBytes + attribute.size();
  const auto message_bytes = kMessageHeaderBytes + kFamilyHeaderBytes + padded(attribute_bytes);
  std::vector<std::byte> request;
  request.reserve(message_bytes);
  append(request, nlmsghdr{.nlmsg_len = static_cast<std::uint32_t>(message_bytes),
                           .nlmsg_type = family,
                           .nlmsg_flags = NLM_F_REQUEST,
                           .nlmsg_seq = 0,
                           .nlmsg_pid = 0});
  append(request, genlmsghdr{.cmd = command, .version = version, .reserved = 0});
  append(request, nlattr{.nla_len = static_cast<std::uint16_t>(attribute_bytes),
                         .nla_type = attribute_type});
  request.insert(request.end(), attribute.begin(), attribute.end());
  request.resize(message_bytes);
  return request;
}

}  // namespace netlink
