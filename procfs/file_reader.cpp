#include "procfs/file_reader.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <memory>
#include <system_error>
#include <utility>

#include "procfs/text.hpp"

namespace procfs {
namespace {

// O_NONBLOCK: opening a FIFO that someone put in a file's place must not wait for a writer.
constexpr int kOpenFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
constexpr std::size_t kFirstRoom = 4096;  // what a seq_file gives in one read
// The largest such file seen is /proc/stat of a host with thousands of interrupts: 100 KiB.
constexpr std::size_t kMaxFileBytes = 16U << 20U;

Error from_errno(std::string_view path, int number, Errc missing) {
  Errc code = Errc::io;
  if (number == ENOENT || number == ESRCH || number == ENODEV || number == ENOTDIR) code = missing;
  if (number == EOPNOTSUPP) code = Errc::unsupported;  // /proc/pressure/* with psi=0
  if (number == EACCES || number == EPERM) code = Errc::denied;
  return {code, std::string(path) + ": " + std::generic_category().message(number)};
}

// A seq_file gives less than was asked for at its end, and where the next record does not fit into
// the page that it is written to (seq_read_iter() of the kernel's fs/seq_file.c). So where no
// record fills half a page, whole lines that fill less than that are the end.
constexpr std::size_t kLeastPageBytes = 4096;
constexpr std::size_t sure_end_bytes(Ending ending) {
  switch (ending) {
    case Ending::empty_read:
      break;
    case Ending::short_read:
      return kLeastPageBytes / 2;
    case Ending::short_lines:
      return kLeastPageBytes - 64;
  }
  return 0;
}

/// Reads to the end, or what is enough of it. The kernel reports no size for these files and may
/// return short reads to keep lines whole, so that of longer ones only an empty read is the end.
/// Returns 0 or an errno.
int read_whole(int descriptor, Ending ending, std::string& buffer, std::size_t& used,
               std::size_t enough_bytes = std::numeric_limits<std::size_t>::max()) {
  used = 0;
  for (;;) {
    if (used == buffer.size()) buffer.resize(std::max(kFirstRoom, 2 * buffer.size()));
    const auto got =
        ::pread(descriptor, buffer.data() + used, buffer.size() - used, static_cast<off_t>(used));
    if (got == 0) return 0;
    if (got < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    used += static_cast<std::size_t>(got);
    const bool is_short = static_cast<std::size_t>(got) < sure_end_bytes(ending);
    if (is_short && used < buffer.size() && buffer[used - 1] == '\n') return 0;
    if (used >= enough_bytes) return 0;
    if (used > kMaxFileBytes) return EFBIG;
  }
}

bool object_is_gone(int number) {
  return number == ENOENT || number == ESRCH || number == ENODEV || number == ESTALE;
}

std::int64_t modified_nanoseconds(const struct stat& status) {
  constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
  return status.st_mtim.tv_sec * kNanosecondsPerSecond + status.st_mtim.tv_nsec;
}

template <class Use>
Result<void> for_each_name(int directory, const char* path, Use use) {
  const int descriptor = ::openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return from_errno(path, errno, Errc::gone);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(descriptor), ::closedir);
  if (stream == nullptr) {
    ::close(descriptor);
    return from_errno(path, ENOMEM, Errc::gone);
  }
  for (;;) {
    errno = 0;
    const auto* entry = ::readdir(stream.get());  // NOLINT(concurrency-mt-unsafe): own stream
    if (entry == nullptr) break;
    const std::string_view name(static_cast<const char*>(entry->d_name));
    if (name != "." && name != ".." && !use(name, entry->d_ino)) break;
  }
  if (errno != 0) return from_errno(path, errno, Errc::gone);
  return {};
}

}  // namespace

KeptFile::KeptFile(KeptFile&& other) noexcept
    : directory_(other.directory_),
      path_(std::move(other.path_)),
      ending_(other.ending_),
      descriptor_(std::exchange(other.descriptor_, -1)),
      buffer_(std::move(other.buffer_)) {}

KeptFile& KeptFile::operator=(KeptFile&& other) noexcept {
  std::swap(directory_, other.directory_);
  std::swap(path_, other.path_);
  std::swap(ending_, other.ending_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(buffer_, other.buffer_);
  return *this;
}

KeptFile::~KeptFile() { close(); }

void KeptFile::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

Result<std::string_view> KeptFile::read() {
  bool reopened = descriptor_ < 0;
  for (;;) {
    if (descriptor_ < 0) descriptor_ = ::openat(directory_, path_.c_str(), kOpenFlags);
    if (descriptor_ < 0) return from_errno(path_, errno, Errc::unsupported);
    std::size_t used = 0;
    const int failure = read_whole(descriptor_, ending_, buffer_, used);
    if (failure == 0) return std::string_view(buffer_).substr(0, used);
    close();
    if (reopened || !object_is_gone(failure)) return from_errno(path_, failure, Errc::unsupported);
    reopened = true;
  }
}

Result<FileReader> FileReader::open(const std::string& mount_point) {
  const int directory = ::open(mount_point.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return from_errno(mount_point, errno, Errc::unsupported);
  return FileReader(directory);
}

Result<FileReader> FileReader::duplicate() const {
  const int directory = ::fcntl(directory_, F_DUPFD_CLOEXEC, 0);
  if (directory < 0) return from_errno("duplicate of a directory", errno, Errc::io);
  return FileReader(directory);
}

FileReader::FileReader(FileReader&& other) noexcept
    : directory_(std::exchange(other.directory_, -1)), buffer_(std::move(other.buffer_)) {}

FileReader& FileReader::operator=(FileReader&& other) noexcept {
  std::swap(directory_, other.directory_);
  std::swap(buffer_, other.buffer_);
  return *this;
}

FileReader::~FileReader() {
  if (directory_ >= 0) ::close(directory_);
}

Result<std::string_view> FileReader::read(const char* path, Ending ending) {
  const int descriptor = ::openat(directory_, path, kOpenFlags);
  if (descriptor < 0) return from_errno(path, errno, Errc::gone);
  std::size_t used = 0;
  const int failure = read_whole(descriptor, ending, buffer_, used);
  ::close(descriptor);
  if (failure != 0) return from_errno(path, failure, Errc::gone);
  return std::string_view(buffer_).substr(0, used);
}

Result<std::string_view> FileReader::read_start(const char* path, std::size_t max_bytes) {
  const int descriptor = ::openat(directory_, path, kOpenFlags);
  if (descriptor < 0) return from_errno(path, errno, Errc::gone);
  std::size_t used = 0;
  const int failure = read_whole(descriptor, Ending::empty_read, buffer_, used, max_bytes);
  ::close(descriptor);
  if (failure != 0) return from_errno(path, failure, Errc::gone);
  return std::string_view(buffer_).substr(0, std::min(used, max_bytes));
}

Result<FileReader::PlainFile> FileReader::read_plain(const char* name, std::size_t max_bytes) {
  const int descriptor = ::openat(directory_, name, kOpenFlags | O_NOFOLLOW);
  if (descriptor < 0 && errno == ELOOP) {
    return Error{Errc::unsupported, std::string(name) + ": a link"};
  }
  if (descriptor < 0) return from_errno(name, errno, Errc::gone);
  std::size_t used = 0;
  struct stat status {};
  int failure = ::fstat(descriptor, &status) == 0 ? 0 : errno;
  const bool is_plain = S_ISREG(status.st_mode);
  const auto size = static_cast<std::size_t>(std::max<off_t>(status.st_size, 0));
  if (failure == 0 && is_plain && size <= max_bytes) {
    // One byte more tells a file that has grown since.
    failure = read_whole(descriptor, Ending::empty_read, buffer_, used, max_bytes + 1);
  }
  ::close(descriptor);
  if (failure != 0) return from_errno(name, failure, Errc::gone);
  if (!is_plain) return Error{Errc::unsupported, std::string(name) + ": not a plain file"};
  if (std::max(size, used) > max_bytes) {
    return Error{Errc::unsupported,
                 std::string(name) + ": more than " + std::to_string(max_bytes) + " bytes"};
  }
  return PlainFile{std::string_view(buffer_).substr(0, used), modified_nanoseconds(status)};
}

Result<void> FileReader::list(const char* path, std::vector<std::string>& names, std::size_t most) {
  names.clear();
  std::size_t count = 0;
  auto listed = for_each_name(directory_, path, [&](std::string_view name, std::uint64_t) {
    if (++count <= most) names.emplace_back(name);
    return count <= most;
  });
  if (listed && count > most) {
    return Error{Errc::unsupported,
                 std::string(path) + ": more than " + std::to_string(most) + " names"};
  }
  return listed;
}

Result<void> FileReader::list_numbers(const char* path, std::vector<Numbered>& numbers) {
  numbers.clear();
  auto listed = for_each_name(directory_, path, [&](std::string_view name, std::uint64_t inode) {
    Numbered entry{.inode = inode};
    if (to_number(name, entry.number) && entry.number > 0) numbers.push_back(entry);
    return true;
  });
  std::ranges::sort(numbers, {}, &Numbered::number);
  return listed;
}

Result<std::uint64_t> FileReader::count(const char* path) {
  std::uint64_t names = 0;
  const auto listed =
      for_each_name(directory_, path, [&](std::string_view, std::uint64_t) { return ++names > 0; });
  if (!listed) return listed.error();
  return names;
}

Result<FileReader::Status> FileReader::status(const char* path) {
  struct stat status {};
  if (::fstatat(directory_, path, &status, 0) != 0) return from_errno(path, errno, Errc::gone);
  return Status{static_cast<std::uint64_t>(status.st_size), modified_nanoseconds(status),
                status.st_ino};
}

}  // namespace procfs
