#pragma once

#include <string>
#include <string_view>

#include "metrics/result.hpp"

namespace procfs {

/// Which operating system this is: /etc/os-release or /usr/lib/os-release, see os-release(5).
/// Named after the variables there; empty where the file does not set one.
struct OsRelease {
  std::string build_id;
  std::string id;
  std::string id_like;
  std::string image_id;
  std::string image_version;
  std::string name;
  std::string pretty_name;
  std::string variant;
  std::string variant_id;
  std::string version;
  std::string version_codename;
  std::string version_id;
};

/// Parses the whole text, removing shell quotes and escapes; the last assignment to a variable
/// counts, other variables are passed over. Fails with `malformed` when a line is neither blank,
/// nor a comment, nor an assignment, when a quote is not closed on its line, or when none of the
/// variables above is there.
metrics::Result<OsRelease> parse_os_release(std::string_view text);

}  // namespace procfs
