#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "procfs/file_reader.hpp"

namespace collectors {

/// Names of users from /etc/passwd below the root, read again when it has changed; see passwd(5).
/// Not from NSS, whose servers may keep one waiting: users that only those know have no name here.
/// Not thread-safe.
class UserNames {
 public:
  /// `root` must outlive it.
  explicit UserNames(procfs::FileReader& root) : root_(root) {}

  std::optional<std::string> name_of(std::uint32_t user_id);

 private:
  void read_when_changed();

  procfs::FileReader& root_;
  std::int64_t modified_nanoseconds_ = -1;
  std::unordered_map<std::uint32_t, std::string> names_;
};

}  // namespace collectors
