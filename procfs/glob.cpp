#include "procfs/glob.hpp"

#include <glob.h>

namespace procfs {

std::vector<std::string> paths_of(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no environment is read without GLOB_TILDE
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  if (paths.empty()) paths.push_back(pattern);
  return paths;
}

}  // namespace procfs
