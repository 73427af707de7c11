#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace procfs {

/// Parses the text of /etc/passwd, see passwd(5): names by user id. Of two with the same id the
/// first counts, as for getpwuid(3); lines without a name or a number are passed over.
std::unordered_map<std::uint32_t, std::string> parse_passwd(std::string_view text);

}  // namespace procfs
