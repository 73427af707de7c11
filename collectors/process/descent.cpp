#include "collectors/process/descent.hpp"

namespace collectors {

std::optional<std::string> inherited_name(std::int32_t parent_pid, const FindAncestor& find) {
  for (std::size_t generation = 0; generation < kMaxGenerations; ++generation) {
    const auto* const parent = find(parent_pid);
    if (parent == nullptr) break;
    if (parent->name) return parent->name;
    parent_pid = parent->parent_pid;
  }
  return std::nullopt;
}

}  // namespace collectors
