#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "metrics/result.hpp"

namespace procfs {

/// /proc/meminfo, see proc(5). Which lines there are depends on the kernel, so all are kept.
struct MemInfo {
  struct Field {
    std::string_view name;  ///< As in the file, such as "Active(anon)"; a view into the text.
    std::uint64_t value = 0;
    bool is_bytes = false;  ///< The line said "kB", which means 1024; `value` is in bytes.
  };
  std::vector<Field> fields;  ///< In file order.

  /// The value of the field called `name`.
  [[nodiscard]] std::optional<std::uint64_t> find(std::string_view name) const;
};

/// Parses the whole text, which must outlive the result. Fails with `malformed` when a line is not
/// `name: number` or `name: number kB`, or when there is no line.
metrics::Result<MemInfo> parse_meminfo(std::string_view text);

}  // namespace procfs
