// Datagrams of taskstats for tests, made by hand and as Linux sent one.
#pragma once

#include <linux/acct.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tests {

using ByteVector = std::vector<std::byte>;

template <class T>
ByteVector bytes_of(const T& value) {
  const auto raw = std::as_bytes(std::span(&value, 1));
  return {raw.begin(), raw.end()};
}

inline ByteVector joined(std::initializer_list<ByteVector> parts) {
  ByteVector all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

/// With its header, and padded to a multiple of four bytes.
inline ByteVector attribute(std::uint16_t type, const ByteVector& payload) {
  const nlattr header{static_cast<std::uint16_t>(sizeof(nlattr) + payload.size()), type};
  auto bytes = joined({bytes_of(header), payload});
  bytes.resize((bytes.size() + 3) / 4 * 4);
  return bytes;
}

inline constexpr std::uint16_t kSomeFamily = 31;

inline ByteVector message(const ByteVector& attributes, std::uint8_t command = TASKSTATS_CMD_NEW) {
  const nlmsghdr header{
      static_cast<std::uint32_t>(NLMSG_HDRLEN + sizeof(genlmsghdr) + attributes.size()),
      kSomeFamily, 0, 0, 0};
  return joined({bytes_of(header), bytes_of(genlmsghdr{command, 1, 0}), attributes});
}

inline ByteVector netlink_error(int number) {
  const nlmsghdr header{NLMSG_HDRLEN + sizeof(nlmsgerr), NLMSG_ERROR, 0, 0, 0};
  return joined({bytes_of(header), bytes_of(nlmsgerr{-number, {}})});
}

/// TASKSTATS_TYPE_AGGR_PID of a thread, with the padding that the kernel puts before the record.
inline ByteVector thread_part(std::int32_t tid, const ByteVector& record) {
  return attribute(TASKSTATS_TYPE_AGGR_PID, joined({attribute(TASKSTATS_TYPE_PID, bytes_of(tid)),
                                                    attribute(TASKSTATS_TYPE_NULL, {}),
                                                    attribute(TASKSTATS_TYPE_STATS, record)}));
}
inline ByteVector group_part(std::int32_t tgid, const ByteVector& record) {
  return attribute(TASKSTATS_TYPE_AGGR_TGID, joined({attribute(TASKSTATS_TYPE_TGID, bytes_of(tgid)),
                                                     attribute(TASKSTATS_TYPE_STATS, record)}));
}

/// As Linux 6.18 (version 16) sent it, when the first thread of a process, "captured", ended as the
/// last of three with status 3: with the totals of the group.
inline ByteVector captured_datagram() {
  constexpr std::string_view kHex =
      "940400001f00000002000000000000000201000040020400080001009f3200003402030010000000000300002100"
      "00000000000002000000000000008d0c010000000000000000000000000000000000000000000000000000000000"
      "00000000000000000000000000000000b91f08000000000063617074757265640000000000000000000000000000"
      "00000000000000000000000000000000000000000000000000009f3200009c320000ceda056b00000000dd890300"
      "00000000000000000000000000000000000000006700000000000000000000000000000000000000000000000000"
      "000000000000d81900000000000020e9000005000000000000000000000000000000000000000000000000000000"
      "00000000000000000000000000000000000000000000000000000000000000000100000000000000000000000000"
      "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "000000000000000000000000ceda056b00000000000000000000000000000000000000009f32000000000000dd89"
      "03000000000000fe000000000000e825a70000000000000000000000000000000000000000000000000000000000"
      "0000000000000000b79f000000000000d66c00000000000000000000000000000000000000000000000000000000"
      "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000004002"
      "0500080002009f32000034020300100000000000000000000000000000003500000000000000dbe3620900000000"
      "0000000000000000000000000000000000000000000000000000000000000000fd1dc50e000000001c247f0e0000"
      "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "00000000000000000000000000000000000000004eb4090000000000f7c703000000000000000000000000000000"
      "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "000000000000000000000100000000000000310000000000000000000000000000000000000000000000fd1dc50e"
      "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000b79f000000000000d66c00000000"
      "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "00000000000000000000000000000000000000000000";
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  ByteVector bytes;
  for (std::size_t at = 0; at < kHex.size(); at += 2) {
    bytes.push_back(static_cast<std::byte>(16 * digit(kHex[at]) + digit(kHex[at + 1])));
  }
  return bytes;
}

}  // namespace tests
