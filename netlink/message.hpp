// The envelope of generic netlink: messages in a datagram, attributes in a message; netlink(7).
// No system calls and no allocation. Damaged bytes give nothing, they are never read past.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace netlink {

using Bytes = std::span<const std::byte>;

/// The number at the start of `bytes`, in the byte order of this machine, which is netlink's too.
template <class T>
requires std::is_trivially_copyable_v<T> std::optional<T> read_start(Bytes bytes) {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

/// One message. The bytes are those of the datagram, and valid as long as they are.
struct Message {
  std::uint16_t type = 0;    ///< A family's number or, below NLMSG_MIN_TYPE, netlink's own.
  std::uint8_t command = 0;  ///< Of the family; 0 in netlink's own messages.
  Bytes payload;             ///< The attributes or, in netlink's own messages, all of it.
};

/// Takes the next message off `datagram`. Nothing when it is not whole.
std::optional<Message> take_message(Bytes& datagram);

/// One attribute of a message, or of another attribute.
struct Attribute {
  std::uint16_t type = 0;  ///< Without the flags that netlink keeps in it.
  Bytes payload;
};

/// Takes the next attribute off `attributes`. Nothing when it is not whole.
std::optional<Attribute> take_attribute(Bytes& attributes);

/// The payload of the first attribute of this type. Nothing when there is none before the end or
/// the first damage.
std::optional<Bytes> find_attribute(Bytes attributes, std::uint16_t type);

/// The errno, positive, that a message of the type NLMSG_ERROR reports; 0 for an acknowledgement.
/// Nothing for every other message.
std::optional<int> error_number(const Message& message);

/// A request with one attribute: all that we ever ask for has that shape.
std::vector<std::byte> make_request(std::uint16_t family, std::uint8_t command,
                                    std::uint8_t version, std::uint16_t attribute_type,
                                    Bytes attribute);

}  // namespace netlink
