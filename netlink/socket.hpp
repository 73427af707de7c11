// The few calls that a generic netlink socket needs; netlink(7).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "metrics/result.hpp"
#include "netlink/message.hpp"

namespace netlink {

/// The reason for a refused call of netlink, from its errno: EPERM and EACCES are `denied`, what a
/// kernel, its modules or the namespace do not offer is `unsupported`, the rest `io`.
metrics::Error from_errno(std::string_view what, int number);

/// A new generic netlink socket, closed on exec. Fails as from_errno() says.
metrics::Result<int> open_socket();

/// Sends a whole request to the kernel, which has dealt with it when this returns.
metrics::Result<void> send_request(int descriptor, const std::vector<std::byte>& request);

/// Sends a request and returns the datagram of the answer. Fails with what the kernel answers where
/// that is an error, and with `io` where there is no answer.
metrics::Result<std::vector<std::byte>> ask(int descriptor, const std::vector<std::byte>& request);

/// The number of a generic netlink family. Fails with `unsupported` when the kernel does not have
/// it, or not in this network namespace.
metrics::Result<std::uint16_t> find_family(int descriptor, std::string_view name);

}  // namespace netlink
