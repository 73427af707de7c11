#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/result.hpp"

namespace procfs {

using metrics::Errc;
using metrics::Error;
using metrics::Result;

/// How the end of a file shows.
enum class Ending : std::uint8_t {
  /// As an empty read. True of every file.
  empty_read,
  /// As a short read, too, which saves a call: true of files of one record, and of those whose
  /// records, the pieces that the kernel writes whole, are shorter than half a page. Not of
  /// /proc/diskstats, where a disk and all its parts are one record.
  short_read,
  /// The same of files whose records are all shorter than 64 bytes, such as /proc/vmstat with its
  /// names of at most 42 letters: there a read that leaves so much of a page is the last.
  short_lines,
};

/// A file that stays open between readings: `pread` on a kept descriptor costs a fifth of opening
/// it each time. Opened at the first read; reopened once when the kernel says that the object
/// behind the descriptor is gone. Not thread-safe.
class KeptFile {
 public:
  KeptFile(int directory, std::string path, Ending ending)
      : directory_(directory), path_(std::move(path)), ending_(ending) {}
  KeptFile(KeptFile&& other) noexcept;
  KeptFile& operator=(KeptFile&& other) noexcept;
  KeptFile(const KeptFile&) = delete;
  KeptFile& operator=(const KeptFile&) = delete;
  ~KeptFile();

  /// The whole text, valid until the next read() of this object.
  /// Fails with `unsupported` when the file does not exist, `denied`, or `io`.
  Result<std::string_view> read();

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  void close();

  int directory_;
  std::string path_;
  Ending ending_;
  int descriptor_ = -1;
  std::string buffer_;
};

/// A mount point (/proc, /sys, or the root of the host's file tree) and the only way to read below
/// it. Paths are relative to it. Follows links, so a tree under a hostile user's control is not
/// for this class. Never waits for a FIFO. Not thread-safe.
class FileReader {
 public:
  /// Fails with `unsupported` when there is no such directory, `denied`, or `io`.
  static Result<FileReader> open(const std::string& mount_point);

  /// Another one of the same place, for another thread. Fails with `io`.
  [[nodiscard]] Result<FileReader> duplicate() const;

  FileReader(FileReader&& other) noexcept;
  FileReader& operator=(FileReader&& other) noexcept;
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;
  ~FileReader();

  /// For fixed files that are read again and again. Must not outlive this object.
  [[nodiscard]] KeptFile keep(std::string path, Ending ending = Ending::empty_read) const {
    return {directory_, std::move(path), ending};
  }

  /// Opens, reads and closes; the text is valid until the next read(). For files that come and go,
  /// such as those of a process: a missing one is `gone`.
  Result<std::string_view> read(const char* path, Ending ending = Ending::empty_read);

  /// As read(), but no more than the first `max_bytes`: of files as long as a user likes.
  Result<std::string_view> read_start(const char* path, std::size_t max_bytes);

  struct PlainFile {
    std::string_view text;                  ///< Valid until the next read.
    std::int64_t modified_nanoseconds = 0;  ///< st_mtim, since the epoch.
  };
  /// The whole of a file in a directory that others write to: no link, FIFO, socket or device, and
  /// nothing of more than `max_bytes`; those are `unsupported`. A missing one is `gone`.
  Result<PlainFile> read_plain(const char* name, std::size_t max_bytes);

  /// Names in a directory, "." and ".." apart, in the kernel's order. A missing one is `gone`; one
  /// of more than `most` is `unsupported`.
  Result<void> list(const char* path, std::vector<std::string>& names, std::size_t most = SIZE_MAX);
  /// How many names list() would give.
  Result<std::uint64_t> count(const char* path);

  struct Numbered {
    std::int32_t number = 0;
    std::uint64_t inode = 0;
  };
  /// The names in a directory that are positive numbers, ascending, and which file each is: a name
  /// that went and came again is another one. A missing one is `gone`.
  Result<void> list_numbers(const char* path, std::vector<Numbered>& numbers);

  struct Status {
    std::uint64_t size_bytes = 0;           ///< st_size: the kernel gives most files here 0.
    std::int64_t modified_nanoseconds = 0;  ///< st_mtim, since the epoch.
    std::uint64_t inode = 0;                ///< st_ino.
  };
  /// stat(2). A missing file is `gone`.
  Result<Status> status(const char* path);

 private:
  explicit FileReader(int directory) : directory_(directory) {}

  int directory_;
  std::string buffer_;
};

}  // namespace procfs
