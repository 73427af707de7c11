#include "exporter/handover.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace exporter {

Pipe::Pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe");
  }
  read_end_ = ends[0];
  write_end_ = ends[1];
}

Pipe::~Pipe() {
  ::close(read_end_);
  ::close(write_end_);
}

bool Pipe::send(void* pointer) const {
  return ::write(write_end_, &pointer, sizeof pointer) == sizeof pointer;
}

void* Pipe::receive() const {
  void* pointer = nullptr;
  return ::read(read_end_, &pointer, sizeof pointer) == sizeof pointer ? pointer : nullptr;
}

void Pipe::wait(std::chrono::nanoseconds timeout) const {
  using std::chrono::seconds;
  timeout = std::max(timeout, std::chrono::nanoseconds(0));
  const auto whole = std::chrono::duration_cast<seconds>(timeout);
  const timespec limit{whole.count(), (timeout - whole).count()};
  pollfd readable{read_end_, POLLIN, 0};
  ::ppoll(&readable, 1, &limit, nullptr);
}

}  // namespace exporter
