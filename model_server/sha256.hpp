#pragma once

#include <string>
#include <string_view>

namespace model_server {

/// The SHA-256 digest of the bytes (FIPS 180-4), in 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

}  // namespace model_server
