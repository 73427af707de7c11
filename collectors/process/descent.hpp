// Children belong to the group of their parents, unless they have one of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace collectors {

/// What the caller remembers of a process for the sake of its children.
struct Ancestor {
  std::int32_t parent_pid = 0;
  std::optional<std::string> name;  ///< Of its group, inherited or not.
};

/// nullptr for a pid that is not known.
using FindAncestor = std::function<const Ancestor*(std::int32_t pid)>;

/// A line of parents that is longer, or goes in a circle because pids came again, is cut here.
inline constexpr std::size_t kMaxGenerations = 256;

/// The name that a process inherits which GroupNamer gives none: that of its nearest ancestor with
/// one. Nothing where there is none, or the line breaks off. Only the name goes down, a child's
/// labels are its own. Pure, but for what `find` does.
///
/// As process-exporter with -children, when the caller remembers the answer as the process' own
/// name: then it keeps its group when its parents are gone and init has adopted it. After an exec
/// GroupNamer is asked first, and when it knows none, the name that the process had stays.
std::optional<std::string> inherited_name(std::int32_t parent_pid, const FindAncestor& find);

}  // namespace collectors
