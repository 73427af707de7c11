#pragma once

#include <chrono>
#include <memory>

namespace exporter {

/// The ends of a pipe, closed with the object. Throws std::system_error when there is none to be
/// had.
class Pipe {
 public:
  Pipe();
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  Pipe(Pipe&&) = delete;
  Pipe& operator=(Pipe&&) = delete;
  ~Pipe();

  [[nodiscard]] int read_end() const { return read_end_; }

  /// Sends a pointer; whole or not at all, as it is shorter than PIPE_BUF. False when the pipe is
  /// full.
  bool send(void* pointer) const;
  /// The next pointer, or null when there is none.
  [[nodiscard]] void* receive() const;
  /// Returns when a pointer has come, or after `timeout`.
  void wait(std::chrono::nanoseconds timeout) const;

 private:
  int read_end_ = -1;
  int write_end_ = -1;
};

/// Hands objects from one thread to another, in order. Through a pipe and not through a futex or
/// eventfd, because the kernel takes a write to a pipe as a sign that the writer will now wait, and
/// wakes the reader on the writer's CPU. Waking another CPU costs ten times as much on a virtual
/// machine, which is more than all that a small scrape does.
template <class T>
class Handover {
 public:
  /// Takes `object` unless the pipe is full, which holds some 8,000.
  bool send(std::unique_ptr<T>& object) {
    if (!pipe_.send(object.get())) return false;
    (void)object.release();
    return true;
  }
  [[nodiscard]] std::unique_ptr<T> receive() {
    return std::unique_ptr<T>(static_cast<T*>(pipe_.receive()));
  }
  void wait(std::chrono::nanoseconds timeout) const { pipe_.wait(timeout); }

  /// Becomes readable when an object has come; for an event loop. Not to be read or closed.
  [[nodiscard]] int descriptor() const { return pipe_.read_end(); }

  Handover() = default;
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;
  Handover(Handover&&) = delete;
  Handover& operator=(Handover&&) = delete;
  ~Handover() {
    while (receive() != nullptr) {
    }
  }

 private:
  Pipe pipe_;
};

}  // namespace exporter
