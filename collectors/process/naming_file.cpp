#include "collectors/process/naming_file.hpp"

#include <filesystem>
#include <system_error>

#include "procfs/file_reader.hpp"

namespace collectors {

metrics::Result<NamingConfig> read_naming_config(const std::string& path) {
  std::error_code problem;
  const auto status = std::filesystem::status(path, problem);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    return metrics::Error{metrics::Errc::unsupported, path + ": is no regular file"};
  }
  auto directory = procfs::FileReader::open("/");
  if (!directory) return directory.error();
  const auto absolute = std::filesystem::absolute(path, problem).string();
  const auto text = directory->read_start(absolute.c_str(), NamingConfig::kMaxBytes + 1);
  if (!text) return text.error();
  return parse_naming_config(*text, path);
}

}  // namespace collectors
