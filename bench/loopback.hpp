#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bench {

/// A socket that is connected to a server on 127.0.0.1, and sends without delay.
/// Throws std::system_error.
int connect_to(std::uint16_t port);

/// The value of a field in the head of an HTTP message, empty when it is not there.
std::string_view field_of(std::string_view head, std::string_view name);

bool equal_ignoring_case(std::string_view left, std::string_view right);

/// Throws std::runtime_error when `digits` is no number.
std::size_t to_size(std::string_view digits, int base = 10);

}  // namespace bench
