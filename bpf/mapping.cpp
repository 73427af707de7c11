#include "bpf/mapping.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace bpf {

metrics::Result<Mapping> Mapping::make(int map, std::size_t offset_bytes, std::size_t size_bytes,
                                       Access access) {
  const int protection = access == Access::read ? PROT_READ : PROT_READ | PROT_WRITE;
  void* const data =
      ::mmap(nullptr, size_bytes, protection, MAP_SHARED, map, static_cast<off_t>(offset_bytes));
  if (data == MAP_FAILED) {
    return metrics::Error{metrics::Errc::io,
                          "mmap of a BPF map: " + std::generic_category().message(errno)};
  }
  Mapping mapping;
  mapping.data_ = data;
  mapping.size_bytes_ = size_bytes;
  return mapping;
}

Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_bytes_(std::exchange(other.size_bytes_, 0)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_bytes_, other.size_bytes_);
  return *this;
}

Mapping::~Mapping() {
  if (data_ != nullptr) ::munmap(data_, size_bytes_);
}

std::size_t page_bytes() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

}  // namespace bpf
