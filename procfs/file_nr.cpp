#include "procfs/file_nr.hpp"

#include <array>

#include "procfs/text.hpp"

namespace procfs {

metrics::Result<FileNr> parse_file_nr(std::string_view text) {
  static constexpr std::array kColumns = {&FileNr::allocated, &FileNr::unused, &FileNr::maximum};
  const auto line = take_line(text);
  auto rest = line;
  FileNr files;
  for (const auto column : kColumns) {
    if (!take_number(rest, files.*column)) return malformed("file-nr", line);
  }
  if (!take_field(rest).empty() || !text.empty()) return malformed("file-nr", line);
  return files;
}

}  // namespace procfs
