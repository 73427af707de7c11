#pragma once

#include <cstdint>
#include <string_view>

#include "metrics/result.hpp"

namespace procfs {

/// /proc/sys/fs/file-nr, see proc(5): open files of the whole host. A file that many descriptors
/// share counts once.
struct FileNr {
  std::uint64_t allocated = 0;
  std::uint64_t unused = 0;   ///< Always 0 since Linux 2.6.
  std::uint64_t maximum = 0;  ///< The limit, fs.file-max.
};

/// Parses the whole text. Fails with `malformed` when it is not one line of three numbers.
metrics::Result<FileNr> parse_file_nr(std::string_view text);

}  // namespace procfs
