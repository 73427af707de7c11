#pragma once

#include <string>
#include <vector>

namespace procfs {

/// The paths that a shell's pattern stands for, sorted (glob(7)); the pattern itself when there is
/// none, so that whoever opens it gets the reason.
std::vector<std::string> paths_of(const std::string& pattern);

}  // namespace procfs
