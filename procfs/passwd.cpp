#include "procfs/passwd.hpp"

#include "procfs/text.hpp"

namespace procfs {
namespace {

/// Takes the text up to the separator, which is dropped; the rest when there is none.
std::string_view take_until(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  const auto part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

}  // namespace

std::unordered_map<std::uint32_t, std::string> parse_passwd(std::string_view text) {
  std::unordered_map<std::uint32_t, std::string> names;
  while (!text.empty()) {
    auto line = take_until(text, '\n');
    const auto name = take_until(line, ':');
    take_until(line, ':');  // the password
    std::uint32_t user_id = 0;
    if (name.empty() || !to_number(take_until(line, ':'), user_id)) continue;
    names.emplace(user_id, name);
  }
  return names;
}

}  // namespace procfs
