#include "collectors/process/user_names.hpp"

#include "procfs/passwd.hpp"

namespace collectors {
namespace {

constexpr const char* kPasswd = "etc/passwd";

}  // namespace

std::optional<std::string> UserNames::name_of(std::uint32_t user_id) {
  read_when_changed();
  const auto found = names_.find(user_id);
  if (found == names_.end()) return std::nullopt;
  return found->second;
}

void UserNames::read_when_changed() {
  const auto status = root_.status(kPasswd);
  if (!status || status->modified_nanoseconds == modified_nanoseconds_) return;
  const auto text = root_.read(kPasswd);
  if (!text) return;
  modified_nanoseconds_ = status->modified_nanoseconds;
  names_ = procfs::parse_passwd(*text);
}

}  // namespace collectors
