#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tests {

/// A directory of its own, removed at the end of the test. Starts with proc/, sys/ and root/.
class FileTree {
 public:
  FileTree() {
    auto pattern = (std::filesystem::temp_directory_path() / "resource_exporter.XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = pattern;
    for (const auto* mount : {"proc", "sys", "root"})
      std::filesystem::create_directory(path_ / mount);
  }
  FileTree(const FileTree&) = delete;
  FileTree& operator=(const FileTree&) = delete;
  ~FileTree() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  /// Writes a file in place, so that a kept descriptor sees the new text; makes its folders.
  FileTree& write(const std::string& name, std::string_view text) {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary | std::ios::trunc) << text;
    return *this;
  }
  void remove(const std::string& name) { std::filesystem::remove_all(path_ / name); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace tests
